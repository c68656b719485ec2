/** Prints a kubernetes.io/tls Secret with a fresh certificate, for trying things out without a CA. */
import { mkdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import {
  createAuthority,
  createKeys,
  type Issued,
  issueCertificate,
  toCertificatePem,
  toIssuer,
  toKeyPem,
} from "@sallyport/controller/identity/issuance";
import { stringify } from "yaml";

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

/** Writes the Secret as YAML to stdout. The keys are ECDSA P-256, and are stored nowhere but in what was asked for. */
export async function printDevCertificate(hosts: readonly string[], options: DevCertificateOptions): Promise<void> {
  const { name, namespace, days } = options;
  const authority = options.authority === true ? await createAuthority(`authority of ${name}`, days) : undefined;
  const { certificate, keys } = await makeCertificate(hosts, options, authority);
  const entries = {
    ...(authority && { "ca.crt": toCertificatePem(authority.certificate) }),
    "tls.crt": toCertificatePem(certificate),
    "tls.key": await toKeyPem(keys.privateKey),
  };
  if (options.files !== undefined) writeFiles(options.files, entries);
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "kubernetes.io/tls",
    stringData: entries,
  };
  process.stdout.write(stringify(secret));
}

/** Good for servers and clients. */
async function makeCertificate(
  hosts: readonly string[],
  { days }: DevCertificateOptions,
  authority: Issued | undefined,
): Promise<Issued> {
  const keys = await createKeys();
  const now = Date.now();
  const order = {
    commonName: hosts[0] ?? "localhost",
    names: hosts.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
    usages: ["server", "client"] as const,
    notBefore: new Date(now),
    notAfter: new Date(now + days * DAY_MS),
    publicKey: keys.publicKey,
  };
  const issuer = authority === undefined ? toIssuer(keys) : toIssuer(authority.keys, authority.certificate);
  return { certificate: await issueCertificate(order, issuer), keys };
}

/** For their owner alone. */
function writeFiles(directory: string, entries: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(entries)) writeFileSync(join(directory, name), text, { mode: 0o600 });
}
