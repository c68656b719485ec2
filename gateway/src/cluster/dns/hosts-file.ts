/** /etc/hosts: names that need no server (hosts(5)). */
import { isIP } from "node:net";

/** Addresses by lower-case name, in the order of the file. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [content = ""] = line.split("#");
    const [address = "", ...names] = content.trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = byName.get(key);
      if (known === undefined) byName.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return byName;
}
