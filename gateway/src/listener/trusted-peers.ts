/** Whose PROXY header is believed: addresses and blocks of them, compiled once per configuration that names them. */
import type { BlockList } from "node:net";
import type { ProxyProtocolIn } from "@sallyport/model/listener";
import { compileAddressList, isListed } from "../wire/address.ts";

const compiled = new WeakMap<ProxyProtocolIn, BlockList>();

/** Whether this peer is trusted. Addresses as sockets give them, IPv4-mapped IPv6 as IPv4. */
export function isTrustedPeer(proxyProtocol: ProxyProtocolIn, address: string): boolean {
  let list = compiled.get(proxyProtocol);
  if (list === undefined) {
    list = compileAddressList(proxyProtocol.trusted);
    compiled.set(proxyProtocol, list);
  }
  return isListed(list, address);
}
