/**
 * Who the client is and what a backend is told about it: X-Forwarded-For and X-Forwarded-Proto. Only proxies in front of
 * us that the listener trusts may state such facts; what anybody else wrote is replaced.
 */
import { isIP } from "node:net";

/** What a request said, and the connection it came on. */
export interface ForwardedFacts {
  /** Values of X-Forwarded-For joined with ", "; "" where there is none. */
  readonly forwardedFor: string;
  /** Lower-case value of X-Forwarded-Proto; "" where there is none. */
  readonly forwardedProto: string;
  readonly remoteAddress: string;
  readonly scheme: "http" | "https";
  /** Proxies in front of us that are trusted; 0: nobody. */
  readonly trustedHops: number;
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
  const { remoteAddress, scheme, trustedHops } = facts;
  if (trustedHops === 0) return { clientAddress: remoteAddress, lines: toLines(remoteAddress, scheme) };
  const list = facts.forwardedFor === "" ? remoteAddress : `${facts.forwardedFor}, ${remoteAddress}`;
  const proto = facts.forwardedProto;
  const trustedProto = proto === "http" || proto === "https" ? proto : scheme;
  return {
    clientAddress: findClient(facts.forwardedFor, trustedHops) ?? remoteAddress,
    lines: toLines(list, trustedProto),
  };
}

/** The address the outermost trusted proxy saw: the n-th from the right. Too short a list, or no address, is not believed. */
function findClient(forwardedFor: string, trustedHops: number): string | undefined {
  const entries = forwardedFor.split(",");
  const entry = entries[entries.length - trustedHops]?.trim() ?? "";
  return isIP(entry) === 0 ? undefined : entry;
}

function toLines(list: string, proto: string): string {
  return `x-forwarded-for: ${list}\r\nx-forwarded-proto: ${proto}\r\n`;
}
