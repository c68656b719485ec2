/**
 * X-Forwarded-Client-Cert: what a backend is told of the certificate a client has proven to hold, in Envoy's format
 * (configuration/http/http_conn_man/headers, x-forwarded-client-cert). Whatever an authority signed may be in a name, so no
 * value can end early, begin another key or another line, however carelessly the header is taken apart.
 */
import type { ClientCertificate } from "../exchange/contract.ts";

/** The line for upstream, with CRLF; "" for a certificate that proves nothing. */
export function toClientCertificateLine(certificate: ClientCertificate | undefined): string {
  if (certificate?.verified !== true) return "";
  const { fingerprint, subject, uriNames, dnsNames } = certificate;
  const keys = [`Hash=${fingerprint}`, `Subject="${escapeSubject(subject)}"`];
  // Envoy writes the key even where there is no such name
  for (const uri of uriNames.length > 0 ? uriNames : [""]) keys.push(`URI=${escapeName(uri)}`);
  for (const name of dnsNames) keys.push(`DNS=${escapeName(name)}`);
  return `x-forwarded-client-cert: ${keys.join(";")}\r\n`;
}

/**
 * RFC 2253 lets any byte be written as `\` and two digits, which is done to quotes, backslashes and everything outside
 * printable ASCII: the text has no quote inside and no backslash before the one at its end.
 */
function escapeSubject(subject: string): string {
  return subject.replace(SUBJECT_UNSAFE, (found: string, escaped?: string) => toHex(escaped ?? found, "\\"));
}

/** An escaped quote or backslash, a bare quote, a backslash that escapes nothing, and what is not printable. */
const SUBJECT_UNSAFE = /\\(["\\])|"|\\(?![0-9A-Fa-f]{2}|[ #+,;<=>])|[^ -~]+/g;

/** Names have none of these characters; one that does is a trap, and is shown as what it is. */
function escapeName(name: string): string {
  const escaped = name.replace(/["\\]|[^!-~]+/g, (found) => toHex(found, "%"));
  return /[,;=]/.test(escaped) ? `"${escaped}"` : escaped;
}

function toHex(text: string, mark: string): string {
  return Buffer.from(text, "utf8").toString("hex").toUpperCase().replace(/../g, `${mark}$&`);
}
