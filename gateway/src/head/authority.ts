/** Authorities (RFC 9110 section 7.2): their syntax, as bytes, and the host in them. */
import { COLON, endOfHost, hexValue } from "./bytes.ts";

/** Whether bytes[from, to) is a host or [IPv6], and perhaps a port up to 65535. */
export function isAuthority(bytes: Buffer, from: number, to: number): boolean {
  const at = bytes[from] === 91 ? endOfLiteral(bytes, from, to) : endOfHost(bytes, from, to);
  if (at <= from) return false;
  return at === to || isPort(bytes, at, to);
}

/** The host of an authority: lower case, without port and trailing dot. */
export function toHost(authority: string): string {
  let host = authority;
  const colon = host.lastIndexOf(":");
  if (colon > 0 && !host.endsWith("]")) host = host.slice(0, colon);
  if (host.endsWith(".")) host = host.slice(0, -1);
  return host.toLowerCase();
}

/** Behind the `]` of an IPv6 literal, or -1. */
function endOfLiteral(bytes: Buffer, from: number, to: number): number {
  let at = from + 1;
  while (at < to && (hexValue(bytes[at] ?? 0) >= 0 || bytes[at] === COLON || bytes[at] === 46)) at++;
  return at < to && bytes[at] === 93 && at >= from + 3 ? at + 1 : -1;
}

/** `:` and up to five digits; none at all is allowed (RFC 3986 section 3.2.3). */
function isPort(bytes: Buffer, from: number, to: number): boolean {
  if (bytes[from] !== COLON || to - from > 6) return false;
  let port = 0;
  for (let at = from + 1; at < to; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port < 65_536;
}
