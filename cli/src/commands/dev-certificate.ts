/** Prints a kubernetes.io/tls Secret with a self-signed certificate, for trying things out without a CA. */
import "reflect-metadata";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { stringify } from "yaml";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** Options of `sallyport dev-certificate`. */
export interface DevCertificateOptions {
  readonly name: string;
  readonly namespace: string;
  readonly days: number;
}

/** Writes the Secret as YAML to stdout. The key is ECDSA P-256; it is never stored anywhere else. */
export async function printDevCertificate(hosts: readonly string[], options: DevCertificateOptions): Promise<void> {
  x509.cryptoProvider.set(crypto);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const notBefore = new Date();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${hosts[0] ?? "localhost"}`,
    notBefore,
    notAfter: new Date(notBefore.getTime() + options.days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? "dns" : "ip", value: host })),
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const privateKey = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: options.name, namespace: options.namespace },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": `${certificate.toString("pem")}\n`, "tls.key": `${privateKey}\n` },
  };
  process.stdout.write(stringify(secret));
}
