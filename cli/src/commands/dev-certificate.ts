/** Prints a kubernetes.io/tls Secret with a fresh certificate, for trying things out without a CA. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { stringify } from "yaml";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** Options of `sallyport dev-certificate`. */
export interface DevCertificateOptions {
  readonly name: string;
  readonly namespace: string;
  readonly days: number;
  /** Signed by an authority that is made for it and forgotten, and whose certificate is `ca.crt`; else signed by itself. */
  readonly authority?: boolean;
  /** Directory for the same entries as PEM files; it is made where there is none. */
  readonly files?: string;
}

interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** Writes the Secret as YAML to stdout. The keys are ECDSA P-256, and are stored nowhere but in what was asked for. */
export async function printDevCertificate(hosts: readonly string[], options: DevCertificateOptions): Promise<void> {
  x509.cryptoProvider.set(crypto);
  const authority = options.authority === true ? await makeAuthority(options) : undefined;
  const { certificate, keys } = await makeCertificate(hosts, options, authority);
  const privateKey = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  const entries = {
    ...(authority && { "ca.crt": `${authority.certificate.toString("pem")}\n` }),
    "tls.crt": `${certificate.toString("pem")}\n`,
    "tls.key": `${privateKey}\n`,
  };
  if (options.files !== undefined) writeFiles(options.files, entries);
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: options.name, namespace: options.namespace },
    type: "kubernetes.io/tls",
    stringData: entries,
  };
  process.stdout.write(stringify(secret));
}

async function makeAuthority({ name, days }: DevCertificateOptions): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`authority of ${name}`] }],
    ...toValidity(days),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

/** Good for servers and clients. */
async function makeCertificate(
  hosts: readonly string[],
  { days }: DevCertificateOptions,
  authority: Issued | undefined,
): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const subject = [{ CN: [hosts[0] ?? "localhost"] }];
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: authority?.certificate.subjectName.toJSON() ?? subject,
    ...toValidity(days),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (authority?.keys ?? keys).privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? "dns" : "ip", value: host })),
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ...(authority ? [await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey)] : []),
    ],
  });
  return { certificate, keys };
}

function toValidity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now), notAfter: new Date(now + days * DAY_MS) };
}

/** For their owner alone. */
function writeFiles(directory: string, entries: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(entries)) writeFileSync(join(directory, name), text, { mode: 0o600 });
}
