/** Content of resources as short text, for keys of caches. Made once per resource, and only where it is asked for. */
import { createHash } from "node:crypto";
import type { Authorities, CertificateSecret } from "@sallyport/model/secret";

const known = new WeakMap<CertificateSecret | Authorities, string>();

/** Tells resources apart by all that a handshake takes from them. */
export function digestOf(resource: CertificateSecret | Authorities): string {
  let digest = known.get(resource);
  if (digest === undefined) {
    digest = digestTexts(
      resource.kind === "secret"
        ? [resource.certificateChain, resource.privateKey, resource.ocspStaple ?? ""]
        : [resource.certificates, resource.revocations ?? ""],
    );
    known.set(resource, digest);
  }
  return digest;
}

/** Of a list of texts: another list has another digest. 32 characters, which is the longest a session id context may be. */
export function digestTexts(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest("base64url").slice(0, 32);
}
