/**
 * Who the client is and what a backend is told about it: X-Forwarded-For and X-Forwarded-Proto. Only proxies in front of
 * us that the listener trusts may state such facts; what anybody else wrote is replaced.
 */
import { type ClientTrust, findClient } from "./client-trust.ts";

/** What a request said, and the connection it came on. */
export interface ForwardedFacts {
  /** Values of X-Forwarded-For joined with ", "; "" where there is none. */
  readonly forwardedFor: string;
  /** Lower-case value of X-Forwarded-Proto; "" where there is none. */
  readonly forwardedProto: string;
  readonly remoteAddress: string;
  readonly scheme: "http" | "https";
  readonly trust: ClientTrust;
}

/** What follows from it. */
export interface ClientIdentity {
  /** The trusted client address. */
  readonly clientAddress: string;
  /** The lines for upstream, each with CRLF. */
  readonly lines: string;
}

/** Works out the client's address and the lines for upstream. */
export function identifyClient(facts: ForwardedFacts): ClientIdentity {
  const { forwardedFor, remoteAddress, scheme, trust } = facts;
  if (trust.kind === "nobody") return { clientAddress: remoteAddress, lines: toLines(remoteAddress, scheme) };
  const list = forwardedFor === "" ? remoteAddress : `${forwardedFor}, ${remoteAddress}`;
  const proto = facts.forwardedProto;
  const trustedProto = proto === "http" || proto === "https" ? proto : scheme;
  return {
    clientAddress: findClient(trust, forwardedFor, remoteAddress),
    lines: toLines(list, trustedProto),
  };
}

function toLines(list: string, proto: string): string {
  return `x-forwarded-for: ${list}\r\nx-forwarded-proto: ${proto}\r\n`;
}
