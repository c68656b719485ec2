/** Reads requests for certificates (PKCS #10, RFC 2986). Of what they say only the key counts, and that its owner signed. */
import "reflect-metadata";
import { createPublicKey } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { fail, ok, type Result } from "@sallyport/model/result";

/** A key that may get a certificate. */
export type RequestedKey = x509.PublicKey;

/** Characters a request may have; one with an RSA key of 4096 bits has some 1700. */
const LONGEST = 16_384;
const SHORTEST_RSA = 2048;
/** Checking a signature of a longer key would cost too much. */
const LONGEST_RSA = 4096;

/** The key a request in PEM is for, or what is wrong with the request. */
export async function readRequest(csr: string): Promise<Result<RequestedKey, string>> {
  if (csr.length > LONGEST) return fail("the certificate signing request is too long");
  x509.cryptoProvider.set(crypto);
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    const flaw = findFlaw(request.publicKey);
    if (flaw !== undefined) return fail(flaw);
    if (!(await request.verify())) return fail("the certificate signing request is not signed by the key it names");
    return ok(request.publicKey);
  } catch {
    return fail("the certificate signing request is not PKCS #10 in PEM");
  }
}

/** Keys are judged before anything is computed with them. */
function findFlaw({ rawData }: x509.PublicKey): string | undefined {
  const key = createPublicKey({ key: Buffer.from(rawData), format: "der", type: "spki" });
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519" || (type === "ec" && details?.namedCurve === "prime256v1")) return undefined;
  const length = details?.modulusLength ?? 0;
  if (type === "rsa" && length >= SHORTEST_RSA && length <= LONGEST_RSA) return undefined;
  return "the key must be ECDSA P-256, Ed25519, or RSA of 2048 to 4096 bits";
}
