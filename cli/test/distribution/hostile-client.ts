// A client of the controller that says what it likes.
import "reflect-metadata";
import assert from "node:assert/strict";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import * as x509 from "@peculiar/x509";
import { CERTIFY_METHOD, CONFIGURE_METHOD } from "@sallyport/model/distribution";
import type { CertifiedKey } from "@sallyport/testkit/certs";

/** A client of a publisher, with a certificate of its own or without. */
export function toClient(port: number, trusted: Buffer, own?: CertifiedKey): Client {
  const channel =
    own === undefined
      ? credentials.createSsl(trusted)
      : credentials.createSsl(trusted, Buffer.from(own.key), Buffer.from(own.cert));
  return new Client(`localhost:${port}`, channel, { "grpc.use_local_subchannel_pool": 1 });
}

/** A key and a signing request for it, by another hand than the proxy's own. */
export async function createKeyRequest(): Promise<{ readonly key: string; readonly csr: string }> {
  x509.cryptoProvider.set(crypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: algorithm });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { key, csr: request.toString("pem") };
}

/** Messages are bytes. */
export const pass = (bytes: Buffer): Buffer => bytes;

/** Asks for a certificate; the answer or the refusal. */
export function certify(client: Client, bytes: Buffer): Promise<ServiceError | Buffer> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(CERTIFY_METHOD, pass, pass, bytes, (error, answer) => resolve(error ?? answer ?? bytes));
  });
}

/** Says this on a stream; the error it ends with. */
export function configure(client: Client, ...messages: readonly (object | string)[]): Promise<ServiceError> {
  return new Promise((resolve) => {
    const call = client.makeBidiStreamRequest(CONFIGURE_METHOD, pass, pass);
    call.on("error", (error: ServiceError) => resolve(error));
    call.on("data", () => undefined);
    for (const message of messages)
      call.write(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  });
}

/** What a proxy says first. */
export function toHello(group: string, more: object = {}): object {
  return { kind: "hello", group, proxy: "p", version: "1", resources: {}, ...more };
}

/** A certificate as the controller gives it to the holder of a token. */
export async function getCertified(port: number, trusted: Buffer, token: string): Promise<CertifiedKey> {
  const { key, csr } = await createKeyRequest();
  const client = toClient(port, trusted);
  const answer = await certify(client, Buffer.from(JSON.stringify({ csr, token })));
  client.close();
  assert.ok(Buffer.isBuffer(answer), String(answer));
  const { chain } = JSON.parse(answer.toString("utf8")) as { readonly chain: string };
  return { key, cert: chain };
}
