/** Which of a listener's certificates are shown for a server name: those that name it, one for each type of key. */
import { X509Certificate } from "node:crypto";
import type { CertificateSecret } from "@sallyport/model/secret";

/** The leaf of a chain, as far as choosing asks. */
interface Leaf {
  readonly certificate: X509Certificate;
  /** `rsa`, `ec`, ...: a server holds one certificate for each. */
  readonly keyType: string;
}

/** Node throws at names with a NUL; what has other characters than host names is named by nobody. */
const HOST_NAME = /^[\w.-]+$/;

/**
 * One or more of the certificates, which must not be empty. Where none names the server the first is shown, as any server
 * does that knows nothing better, with those of other key types that stand for the same name.
 */
export function chooseCertificates(
  secrets: readonly CertificateSecret[],
  serverName: string | undefined,
): readonly CertificateSecret[] {
  const [first] = secrets;
  if (first === undefined || secrets.length === 1) return secrets;
  const named =
    serverName === undefined || !HOST_NAME.test(serverName)
      ? []
      : secrets.filter((secret) => isNamed(secret, serverName));
  if (named.length > 0) return toOnePerKeyType(named);
  const name = firstNameOf(first);
  const mates = name === undefined ? [] : secrets.filter((secret) => secret !== first && isNamed(secret, name));
  return toOnePerKeyType([first, ...mates]);
}

/** In the user's order; who cannot be read has no type of key and stands alone. */
function toOnePerKeyType(secrets: readonly CertificateSecret[]): readonly CertificateSecret[] {
  const [first] = secrets;
  if (first === undefined || leafOf(first) === undefined) return secrets.slice(0, 1);
  const chosen = new Map<string, CertificateSecret>();
  for (const secret of secrets) {
    const keyType = leafOf(secret)?.keyType;
    if (keyType !== undefined && !chosen.has(keyType)) chosen.set(keyType, secret);
  }
  return [...chosen.values()];
}

function isNamed(secret: CertificateSecret, name: string): boolean {
  return leafOf(secret)?.certificate.checkHost(name) !== undefined;
}

/** The first DNS name of a certificate. Names that would need quotes are no host names. */
function firstNameOf(secret: CertificateSecret): string | undefined {
  return /(?:^|, )DNS:([^",\s]+)/.exec(leafOf(secret)?.certificate.subjectAltName ?? "")?.[1];
}

const leaves = new WeakMap<CertificateSecret, Leaf | "unreadable">();

function leafOf(secret: CertificateSecret): Leaf | undefined {
  let leaf = leaves.get(secret);
  if (leaf === undefined) {
    leaf = parseLeaf(secret);
    leaves.set(secret, leaf);
  }
  return leaf === "unreadable" ? undefined : leaf;
}

function parseLeaf(secret: CertificateSecret): Leaf | "unreadable" {
  try {
    const certificate = new X509Certificate(secret.certificateChain);
    return { certificate, keyType: certificate.publicKey.asymmetricKeyType ?? "unknown" };
  } catch {
    // Whoever made the snapshot checked it; if it is broken all the same, the handshake says so.
    return "unreadable";
  }
}
