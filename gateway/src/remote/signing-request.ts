/**
 * A request for a certificate (PKCS #10, RFC 2986) with no name in it: who the proxy is says its token. Node makes keys and signs
 * but writes no requests; one of this shape is a few fields of DER, for which a library would cost a proxy 10 MB.
 */
import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";

/** A new key and the request for it; both PEM. The key is never written anywhere. */
export interface KeyRequest {
  readonly key: string;
  readonly csr: string;
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
/** `version INTEGER 0`. */
const VERSION = Buffer.from([0x02, 0x01, 0x00]);
/** `subject`: a name without parts. */
const NO_NAME = Buffer.from([SEQUENCE, 0x00]);
/** `attributes [0]`: none. */
const NO_ATTRIBUTES = Buffer.from([0xa0, 0x00]);
/** OBJECT IDENTIFIER 1.2.840.10045.4.3.2, ecdsa-with-SHA256 (RFC 5758 section 3.2). */
const ECDSA_SHA256 = Buffer.from("06082a8648ce3d040302", "hex");

/** Makes a key (ECDSA P-256) and a request for it. */
export async function createKeyRequest(): Promise<KeyRequest> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { key, csr: toRequest(publicKey, privateKey) };
}

function toRequest(publicKey: KeyObject, privateKey: KeyObject): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  const info = encode(SEQUENCE, VERSION, NO_NAME, spki, NO_ATTRIBUTES);
  const signature = sign("sha256", info, privateKey);
  const request = encode(SEQUENCE, info, encode(SEQUENCE, ECDSA_SHA256), encode(BIT_STRING, Buffer.of(0), signature));
  const lines = request.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** Tag, length, content (X.690 section 8.1). */
function encode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), body]);
}
