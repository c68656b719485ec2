import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findChainFlaw, findKeyFlaw, findRevocationsFlaw } from "./pem.ts";

function toPem(label: string, bytes: readonly number[]): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString("base64")}\n-----END ${label}-----\n`;
}

/** A DER SEQUENCE of so many zero bytes. */
function toSequence(length: number): number[] {
  const body = Array.from({ length }, () => 0);
  if (length < 128) return [0x30, length, ...body];
  return length < 256 ? [0x30, 0x81, length, ...body] : [0x30, 0x82, length >> 8, length & 255, ...body];
}

const certificate = toPem("CERTIFICATE", toSequence(300));
const key = toPem("PRIVATE KEY", toSequence(50));

test("a chain of whole certificates has no flaw, with text around it and Windows line ends too", () => {
  assert.equal(findChainFlaw(certificate), undefined);
  assert.equal(findChainFlaw(`subject=/CN=a\n${certificate}${certificate}`.replaceAll("\n", "\r\n")), undefined);
});

for (const label of ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]) {
  test(`a ${label} block is a key`, () => assert.equal(findKeyFlaw(toPem(label, toSequence(200))), undefined));
}

test("EC parameters before the key do no harm", () => {
  assert.equal(findKeyFlaw(toPem("EC PARAMETERS", [6, 1, 0]) + toPem("EC PRIVATE KEY", toSequence(9))), undefined);
});

const chains: readonly (readonly [what: string, text: string, flaw: RegExp])[] = [
  ["nothing", "", /no PEM block/],
  ["plain text", "Hello world", /no PEM block/],
  ["a key", key, /holds a PRIVATE KEY block/],
  ["a certificate and its key", certificate + key, /holds a PRIVATE KEY block/],
  ["a block without end", certificate.slice(0, -30), /cut off/],
  ["a block that ends as another", certificate.replace("END CERTIFICATE", "END X509 CRL"), /ends as X509 CRL/],
  ["a body that is not base64", certificate.replace("MII", "M*I"), /does not hold DER/],
  ["an empty body", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", /does not hold DER/],
  ["bytes that are no sequence", toPem("CERTIFICATE", [0x31, 0]), /does not hold DER/],
  ["a sequence that is cut off", toPem("CERTIFICATE", toSequence(300).slice(0, -1)), /does not hold DER/],
  ["a sequence with bytes after it", toPem("CERTIFICATE", [...toSequence(300), 0]), /does not hold DER/],
  ["a length that claims terabytes", toPem("CERTIFICATE", [0x30, 0x86, 1, 1, 1, 1, 1, 1]), /does not hold DER/],
  ["an indefinite length", toPem("CERTIFICATE", [0x30, 0x80, 0, 0]), /does not hold DER/],
];

for (const [what, text, flaw] of chains) {
  test(`${what} is no certificate chain`, () => assert.match(findChainFlaw(text) ?? "", flaw));
}

const keys: readonly (readonly [what: string, text: string, flaw: RegExp])[] = [
  ["a certificate", certificate, /no private key/],
  ["an encrypted key", toPem("ENCRYPTED PRIVATE KEY", toSequence(9)), /encrypted/],
  ["two keys", key + key, /more than one/],
  ["a key that is cut off", toPem("PRIVATE KEY", toSequence(50).slice(0, -1)), /does not hold DER/],
];

for (const [what, text, flaw] of keys) {
  test(`${what} is no private key`, () => assert.match(findKeyFlaw(text) ?? "", flaw));
}

test("no text makes the look at it fail", () => {
  const part = fc.constantFrom("-----BEGIN ", "-----END ", "CERTIFICATE", "-----", "\n", "MIIB", "====", "é", "-");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      findChainFlaw(parts.join(""));
      findKeyFlaw(parts.join(""));
    }),
  );
});

test("revocation lists are blocks of their own kind, whole and nothing else", () => {
  const list = toPem("X509 CRL", toSequence(40));
  assert.equal(findRevocationsFlaw(list + list), undefined);
  assert.match(findRevocationsFlaw(certificate) ?? "", /CERTIFICATE block where only X509 CRL/);
  assert.match(findRevocationsFlaw(toPem("X509 CRL", [...toSequence(40), 0])) ?? "", /does not hold DER/);
});
