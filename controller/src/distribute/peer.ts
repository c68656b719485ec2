/** Who is at the other end of a connection, by its certificate. */
import { X509Certificate } from "node:crypto";
import { fail, ok, type Result } from "@sallyport/model/result";
import { parseAltName, type ServiceAccount } from "../identity/spiffe.ts";

/** A proxy that has shown a certificate. */
export interface Peer {
  readonly account: ServiceAccount;
  /** When the certificate ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Who has a certificate that TLS found to be signed by our authority (`raw` is absent where it did not, or where there was none).
 * Connections outlive certificates, and a resumed session brings one that was judged long ago: its time is looked at for every call.
 */
export function toPeer(raw: Uint8Array | undefined, trustDomain: string): Result<Peer, string> {
  if (raw === undefined)
    return fail("a client certificate of the controller's authority is needed; call Certify for one");
  const certificate = new X509Certificate(raw);
  const expiresAt = certificate.validToDate.getTime();
  if (expiresAt <= Date.now())
    return fail(
      `the client certificate expired at ${certificate.validToDate.toISOString()}; call Certify for a new one`,
    );
  if (certificate.validFromDate.getTime() > Date.now())
    return fail(
      `the client certificate is not valid before ${certificate.validFromDate.toISOString()}; set the clocks right`,
    );
  const account = parseAltName(certificate.subjectAltName, trustDomain);
  if (account !== undefined) return ok({ account, expiresAt });
  return fail(`the client certificate names no service account of the trust domain ${trustDomain}`);
}
