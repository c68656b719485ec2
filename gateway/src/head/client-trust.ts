/**
 * Whom X-Forwarded-For is believed: nobody, a number of proxies in front of us, or proxies by their addresses. Settled once per
 * connection, because it is the peer that is trusted.
 */
import { type BlockList, isIP } from "node:net";
import type { HttpServerOptions } from "@sallyport/model/listener";
import { compileAddressList, isListed, unmapAddress } from "../wire/address.ts";

/** What of the listener's options says it. */
export type TrustOptions = Pick<HttpServerOptions, "trustedHops" | "trustedProxies">;

/** How the client's address is found in what a peer says. */
export type ClientTrust =
  | { readonly kind: "nobody" }
  | { readonly kind: "hops"; readonly hops: number }
  | { readonly kind: "proxies"; readonly list: BlockList };

const NOBODY: ClientTrust = { kind: "nobody" };
/** Proxies of a chain that are passed; no real one is as long. Whoever trusts everybody must not be made to read on and on. */
const MOST_PROXIES = 64;

const compiled = new WeakMap<readonly string[], BlockList>();

/** How far a peer is trusted. */
export function toClientTrust({ trustedHops, trustedProxies }: TrustOptions, remoteAddress: string): ClientTrust {
  if (trustedHops > 0) return { kind: "hops", hops: trustedHops };
  if (trustedProxies === undefined) return NOBODY;
  let list = compiled.get(trustedProxies);
  if (list === undefined) {
    list = compileAddressList(trustedProxies);
    compiled.set(trustedProxies, list);
  }
  return isListed(list, remoteAddress) ? { kind: "proxies", list } : NOBODY;
}

/** The client's address by what a peer says (values of X-Forwarded-For, joined); `peer` where nothing else can be believed. */
export function findClient(trust: ClientTrust, forwardedFor: string, peer: string): string {
  switch (trust.kind) {
    case "nobody":
      return peer;
    case "hops":
      return parseForwarded(entryFromRight(forwardedFor, trust.hops)) ?? peer;
    case "proxies":
      return followProxies(trust.list, forwardedFor, peer);
  }
}

/** The address the outermost trusted proxy saw: the n-th from the right; "" where the list is too short. */
function entryFromRight(forwardedFor: string, hops: number): string {
  let end = forwardedFor.length;
  for (let hop = 1; hop < hops; hop++) {
    const comma = forwardedFor.lastIndexOf(",", end - 1);
    if (comma <= 0) return "";
    end = comma;
  }
  return forwardedFor.slice(forwardedFor.lastIndexOf(",", end - 1) + 1, end);
}

/** From the end of the list to the first address that is no proxy of ours; before what is no address nobody can be believed. */
function followProxies(list: BlockList, forwardedFor: string, peer: string): string {
  let client = peer;
  let end = forwardedFor.length;
  for (let passed = 0; passed < MOST_PROXIES && end > 0; passed++) {
    const comma = forwardedFor.lastIndexOf(",", end - 1);
    const address = parseForwarded(forwardedFor.slice(comma + 1, end));
    if (address === undefined) return client;
    client = address;
    if (comma < 0 || !isListed(list, address)) return client;
    end = comma;
  }
  return client;
}

/** An address, also with a port (some load balancers write it) or in brackets. A zone means nothing to anybody else. */
function parseForwarded(entry: string): string | undefined {
  const text = entry.trim();
  const [, bracketed, plain = text] = /^\[([^\]]*)\](?::\d{1,5})?$|^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text) ?? [];
  const address = (bracketed ?? plain).toLowerCase();
  return isIP(address) === 0 || address.includes("%") ? undefined : unmapAddress(address);
}
