/** Addresses as sockets tell them, and lists of addresses and blocks that they are held against. */
import { BlockList, isIP } from "node:net";

/** IPv4 that came to a socket for both families, as what it is; anything else as it stands. */
export function unmapAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** A list of addresses and CIDR blocks. An entry that cannot be read holds nobody; the translators report it. */
export function compileAddressList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix, ...rest] = entry.split("/");
    const family = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const longest = family === 4 ? 32 : 128;
    if (family === 0 || rest.length > 0 || (bits !== undefined && !isPrefix(prefix, bits, longest))) continue;
    const type = family === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, bits, type);
  }
  return list;
}

/** Whether an address is on the list; IPv4-mapped IPv6 is IPv4, and what is no address is on none. */
export function isListed(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
}

function isPrefix(text: string | undefined, bits: number, longest: number): boolean {
  return text !== undefined && /^\d{1,3}$/.test(text) && bits <= longest;
}
