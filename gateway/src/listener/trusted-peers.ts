/** Whose PROXY header is believed: addresses and blocks of them, compiled once per configuration that names them. */
import { BlockList, isIP } from "node:net";
import type { ProxyProtocolIn } from "@sallyport/model/listener";

const compiled = new WeakMap<ProxyProtocolIn, BlockList>();

/** Whether this peer is trusted. Addresses as sockets give them, IPv4-mapped IPv6 as IPv4. */
export function isTrustedPeer(proxyProtocol: ProxyProtocolIn, address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  let list = compiled.get(proxyProtocol);
  if (list === undefined) {
    list = compileTrusted(proxyProtocol.trusted);
    compiled.set(proxyProtocol, list);
  }
  return list.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** What cannot be read trusts nobody; the translators report it. */
function compileTrusted(trusted: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of trusted) {
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

function isPrefix(text: string | undefined, bits: number, longest: number): boolean {
  return text !== undefined && /^\d{1,3}$/.test(text) && bits <= longest;
}
