/**
 * Messages between controller and proxies as bytes: JSON in UTF-8. What comes from the other side is unknown until the
 * validators compiled ahead have seen it, and nothing of it gets into an error but the name of a field.
 */
import type { CertifyRequest, CertifyResponse, ControllerMessage, ProxyMessage } from "./distribution.ts";
import * as validators from "./generated/message-validators.js";
import type { Validator } from "./generated/resource-validators.js";
import { fail, ok, type Result } from "./result.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** A message as bytes. */
export function encodeMessage(
  message: CertifyRequest | CertifyResponse | ProxyMessage | ControllerMessage,
): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** The bytes as what a proxy says on its stream, or what is wrong with them. */
export function decodeProxyMessage(bytes: Uint8Array): Result<ProxyMessage, string> {
  return decode(bytes, validators.proxyMessage);
}

/** The bytes as what the controller says on the stream, or what is wrong with them. */
export function decodeControllerMessage(bytes: Uint8Array): Result<ControllerMessage, string> {
  return decode(bytes, validators.controllerMessage);
}

/** The bytes as a request for a certificate, or what is wrong with them. */
export function decodeCertifyRequest(bytes: Uint8Array): Result<CertifyRequest, string> {
  return decode(bytes, validators.certifyRequest);
}

/** The bytes as a certificate, or what is wrong with them. */
export function decodeCertifyResponse(bytes: Uint8Array): Result<CertifyResponse, string> {
  return decode(bytes, validators.certifyResponse);
}

function decode<T>(bytes: Uint8Array, validate: Validator<T>): Result<T, string> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    // The parser's own words quote the text, and there may be a token or a key in it.
    return fail("the message is not JSON in UTF-8");
  }
  if (validate(value)) return ok(value);
  const flaw = validate.errors?.[0];
  const path = (flaw?.instancePath ?? "").slice(1).replaceAll("/", ".").slice(0, LONGEST_PATH);
  return fail(`${path === "" ? "the message" : `the field ${path}`} ${flaw?.message ?? "is invalid"}`);
}

/** Names of fields are the sender's as well, where they are keys. */
const LONGEST_PATH = 80;
