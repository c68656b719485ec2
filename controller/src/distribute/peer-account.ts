/** Who is at the other end of a connection, by its certificate. */
import { X509Certificate } from "node:crypto";
import { fail, ok, type Result } from "@sallyport/model/result";
import { parseAltName, type ServiceAccount } from "../identity/spiffe.ts";

/**
 * The account of a certificate that TLS found to be signed by our authority (`raw` is absent where it did not, or where there was
 * none). Connections outlive certificates, so its time is looked at for every call.
 */
export function toPeerAccount(raw: Uint8Array | undefined, trustDomain: string): Result<ServiceAccount, string> {
  if (raw === undefined)
    return fail("a client certificate of the controller's authority is needed; call Certify for one");
  const certificate = new X509Certificate(raw);
  if (certificate.validToDate.getTime() <= Date.now())
    return fail(
      `the client certificate expired at ${certificate.validToDate.toISOString()}; call Certify for a new one`,
    );
  const account = parseAltName(certificate.subjectAltName, trustDomain);
  if (account !== undefined) return ok(account);
  return fail(`the client certificate names no service account of the trust domain ${trustDomain}`);
}
