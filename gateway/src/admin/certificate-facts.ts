/** Certificates as an operator wants to see them: whose they are and until when. */
import { X509Certificate } from "node:crypto";

/** One certificate. */
export interface CertificateFacts {
  /** RFC 2253 without escapes; what cannot be read says so. */
  readonly subject: string;
  readonly issuer: string;
  /** ISO 8601; null where it cannot be read. */
  readonly notAfter: string | null;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Of every certificate in a PEM text, in its order. */
export function toCertificateFacts(pem: string): readonly CertificateFacts[] {
  return (pem.match(BLOCK) ?? []).map((block) => {
    try {
      const { subject, issuer, validTo } = new X509Certificate(block);
      return { subject: toLine(subject), issuer: toLine(issuer), notAfter: new Date(validTo).toISOString() };
    } catch {
      return { subject: "(cannot be read)", issuer: "(cannot be read)", notAfter: null };
    }
  });
}

/** Node has one attribute a line, the most general first. */
function toLine(name: string): string {
  return name.split("\n").toReversed().join(",");
}
