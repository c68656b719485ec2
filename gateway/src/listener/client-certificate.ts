/** What is said of a client's certificate further on: in headers, logs and policies. */
import type { X509Certificate } from "node:crypto";
import type { ClientCertificate } from "../exchange/contract.ts";

/** The facts. Throws where the names in it cannot be read beyond doubt. */
export function toClientCertificate(certificate: X509Certificate, verified: boolean): ClientCertificate {
  const names = parseAltNames(certificate.subjectAltName ?? "");
  return {
    verified,
    subject: toRfc2253(certificate.subject),
    issuer: toRfc2253(certificate.issuer),
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    uriNames: names.filter(({ type }) => type === "URI").map(({ value }) => value),
    dnsNames: names.filter(({ type }) => type === "DNS").map(({ value }) => value),
    notAfter: new Date(certificate.validTo),
  };
}

/** Whether it is valid at this time (milliseconds since 1970): a resumed session is not checked again by OpenSSL. */
export function isInForce(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
}

/** One alternative name. */
export interface AltName {
  readonly type: string;
  readonly value: string;
}

/**
 * Node's text of subject alternative names. Names that hold a comma, a quote or anything unusual stand as JSON strings, so that
 * no name can be taken for two (CVE-2021-44531, CVE-2021-44532). Throws where the text is not as documented.
 */
export function parseAltNames(text: string): readonly AltName[] {
  const names: AltName[] = [];
  for (let at = 0; at < text.length;) {
    const colon = text.indexOf(":", at);
    if (colon < 0) throw new Error("an alternative name has no type");
    const type = text.slice(at, colon);
    const end = findEnd(text, colon + 1);
    const written = text.slice(colon + 1, end);
    names.push({ type, value: written.startsWith('"') ? parseQuoted(written) : written });
    if (end < text.length && !text.startsWith(", ", end)) throw new Error("alternative names are not separated");
    at = end + 2;
  }
  return names;
}

/** The next comma outside of quotes, or the end. */
function findEnd(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === ",") return at;
  }
  if (quoted) throw new Error("an alternative name does not end");
  return text.length;
}

function parseQuoted(written: string): string {
  const value: unknown = JSON.parse(written);
  if (typeof value !== "string") throw new Error("an alternative name is no string");
  return value;
}

/**
 * Node writes a name as lines, first attribute first, values escaped as in RFC 2253 but for characters beyond ASCII. RFC 2253
 * section 2.1 wants the last first, with commas; and OpenSSL, and with it Envoy, writes such characters byte by byte.
 */
export function toRfc2253(lines: string): string {
  if (lines === "") return "";
  return lines
    .split("\n")
    .reverse()
    .map((line) => escapeBytes(line.replaceAll(" + ", "+")))
    .join(",");
}

function escapeBytes(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, (characters) =>
    [...Buffer.from(characters, "utf8")]
      .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
