/** Certificates of a port by server name: the most specific listener's, and of several the one that names the server. */
import { createHash, X509Certificate } from "node:crypto";
import type { CertificateSecret } from "@sallyport/model/secret";
import type { CompiledTls } from "../router/contract.ts";
import { HostTable } from "../router/host-table.ts";

/** A chain and its key, told apart by content. */
export interface Certificate {
  readonly chain: string;
  readonly key: string;
  readonly id: string;
}

/** Compiles the look-up; `byHostname` holds the secrets of each listener by its hostname (`*` for any). */
export function compileTls(byHostname: ReadonlyMap<string, readonly CertificateSecret[]>): CompiledTls {
  const table = new HostTable(byHostname);
  return {
    certificate(serverName) {
      // No name is under no wildcard: only a listener for all hosts serves it.
      const secrets = table.find(serverName ?? "");
      const secret = secrets === undefined ? undefined : chooseSecret(secrets, serverName);
      return secret === undefined ? undefined : toCertificate(secret);
    },
  };
}

function chooseSecret(
  secrets: readonly CertificateSecret[],
  serverName: string | undefined,
): CertificateSecret | undefined {
  const [first, second] = secrets;
  if (second === undefined || serverName === undefined) return first;
  return secrets.find((secret) => isNamed(secret, serverName)) ?? first;
}

const certificates = new WeakMap<CertificateSecret, Certificate>();

function toCertificate(secret: CertificateSecret): Certificate {
  const known = certificates.get(secret);
  if (known !== undefined) return known;
  const { certificateChain: chain, privateKey: key } = secret;
  const id = createHash("sha256").update(chain).update("\0").update(key).digest("base64url");
  const certificate = { chain, key, id };
  certificates.set(secret, certificate);
  return certificate;
}

const parsed = new WeakMap<CertificateSecret, X509Certificate | "unreadable">();

function isNamed(secret: CertificateSecret, serverName: string): boolean {
  let leaf = parsed.get(secret);
  if (leaf === undefined) {
    leaf = parseLeaf(secret);
    parsed.set(secret, leaf);
  }
  return leaf !== "unreadable" && leaf.checkHost(serverName) !== undefined;
}

function parseLeaf(secret: CertificateSecret): X509Certificate | "unreadable" {
  try {
    return new X509Certificate(secret.certificateChain);
  } catch {
    // Whoever made the snapshot checked it; if it is broken all the same, the handshake says so.
    return "unreadable";
  }
}
