// The certificate that every proxy presents: one P-256 key for all of them, so that signing costs each the same.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSelfSigned } from "@sallyport/testkit/certs";

/** A certificate on disk. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Both in one file. */
  readonly pair: string;
}

/** Makes a self-signed ECDSA P-256 certificate for the host in the folder, valid for a day. */
export async function writeCertificate(directory: string, host: string): Promise<CertificateFiles> {
  const { cert, key } = await createSelfSigned({ names: [host, "localhost"] });
  const files = {
    cert: join(directory, "cert.pem"),
    key: join(directory, "key.pem"),
    pair: join(directory, "pair.pem"),
  };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.pair, `${cert.trim()}\n${key}`, { mode: 0o600 });
  return files;
}
