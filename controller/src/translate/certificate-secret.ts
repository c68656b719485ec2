/** Secrets of type kubernetes.io/tls as certificates, whatever kind of object refers to them. */
import { fail, ok, type Result } from "@sallyport/model/result";
import type { CertificateSecret } from "@sallyport/model/secret";
import type { WorldObject } from "../world/world.ts";
import { readOcspStaple } from "./ocsp-staple.ts";
import { findChainFlaw, findKeyFlaw } from "./pem.ts";

/** The certificate in a Secret, or a sentence about why it holds none. A broken OCSP staple is left out. */
export function readCertificateSecret(secret: WorldObject<"Secret">): Result<CertificateSecret, string> {
  const key = `${secret.namespace}/${secret.name}`;
  const { type, data } = secret.object;
  const refuse = (message: string): Result<CertificateSecret, string> => fail(`the Secret ${key} ${message}`);
  if (type !== "kubernetes.io/tls") return refuse(`has the type ${type} where kubernetes.io/tls is needed`);
  const certificateChain = data["tls.crt"]?.text();
  const privateKey = data["tls.key"]?.text();
  if (certificateChain === undefined || privateKey === undefined) return refuse("must hold both tls.crt and tls.key");
  const chainFlaw = findChainFlaw(certificateChain);
  if (chainFlaw !== undefined) return refuse(`has an unusable tls.crt: ${chainFlaw}`);
  const keyFlaw = findKeyFlaw(privateKey);
  if (keyFlaw !== undefined) return refuse(`has an unusable tls.key: ${keyFlaw}`);
  const staple = readOcspStaple(secret);
  const ocspStaple = staple.ok ? staple.value : undefined;
  return ok({
    kind: "secret",
    key,
    certificateChain,
    privateKey,
    ...(ocspStaple === undefined ? {} : { ocspStaple }),
  });
}
