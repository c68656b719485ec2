/** What is said of a client's certificate further on: in headers, logs and policies. */
import type { X509Certificate } from "node:crypto";
import type { ClientCertificate } from "../exchange/contract.ts";
import { parseAltNames } from "../wire/alt-names.ts";

/** Characters of all names of a certificate: they are in a header of every request, which few servers let be longer. */
const MAX_NAMES = 4_096;

/** The facts. Throws where the names in it cannot be read beyond doubt, or are too many to be passed on. */
export function toClientCertificate(certificate: X509Certificate, verified: boolean): ClientCertificate {
  const { subject, issuer, subjectAltName = "" } = certificate;
  if (subject.length + issuer.length + subjectAltName.length > MAX_NAMES) throw new Error("the names are too long");
  const names = parseAltNames(subjectAltName);
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
