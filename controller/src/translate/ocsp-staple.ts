/**
 * OCSP responses to staple (RFC 6960, RFC 6066 section 8), kept in the Secret of the certificate under the key that Istio
 * made known: DER as it came from the responder, or the same as base64 or PEM.
 */
import { fail, ok, type Result } from "@sallyport/model/result";
import type { WorldObject } from "../world/world.ts";
import { decodeBase64, isDerSequence } from "./pem.ts";

/** Key of the response in a Secret of type kubernetes.io/tls. */
export const OCSP_STAPLE = "tls.ocsp-staple";

/** The response in a Secret as base64 of DER; undefined where there is none, an error where it is none to show to clients. */
export function readOcspStaple({ object }: WorldObject<"Secret">): Result<string | undefined, string> {
  const value = object.data[OCSP_STAPLE];
  if (value === undefined) return ok(undefined);
  const der = toDer(value.bytes());
  if (der === undefined || !isDerSequence(der)) return fail("it is no OCSP response in DER, base64 or PEM");
  if (!isSuccessful(der)) return fail("it is the responder's word that it could not answer, not a response");
  return ok(btoa(der));
}

/** Bytes as a string of characters up to U+00FF. */
function toDer(bytes: Uint8Array): string | undefined {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  if (text.charCodeAt(0) === SEQUENCE) return text;
  const body = /^\s*-----BEGIN OCSP RESPONSE-----([^-]*)-----END OCSP RESPONSE-----\s*$/.exec(text)?.[1];
  return decodeBase64(body ?? text);
}

/** The first byte of DER, and no first character of base64 (`0` starts no SEQUENCE) or PEM. */
const SEQUENCE = 0x30;

/** RFC 6960 section 4.2.1: the first element is the status, an ENUMERATED, and 0 is success. */
function isSuccessful(der: string): boolean {
  const first = der.charCodeAt(1);
  const content = first < LONG_FORM ? 2 : 2 + first - LONG_FORM;
  return der.startsWith("\x0a\x01\x00", content);
}

const LONG_FORM = 0x80;
