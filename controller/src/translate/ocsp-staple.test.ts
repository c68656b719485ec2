import assert from "node:assert/strict";
import { test } from "node:test";
import { type Secret, SecretValue } from "../kube/secret.ts";
import type { WorldObject } from "../world/world.ts";
import { OCSP_STAPLE, readOcspStaple } from "./ocsp-staple.ts";

/** The least that is a successful response by its form: SEQUENCE { ENUMERATED 0 }. */
const RESPONSE = Buffer.from("30030a0100", "hex");

function secretWith(data: Secret["data"]): WorldObject<"Secret"> {
  const metadata = { namespace: "shop", name: "shop" };
  const object: Secret = { apiVersion: "v1", kind: "Secret", metadata, type: "kubernetes.io/tls", data };
  return { kind: "Secret", ...metadata, object, age: "1" };
}

function read(value: Uint8Array | string): ReturnType<typeof readOcspStaple> {
  return readOcspStaple(secretWith({ [OCSP_STAPLE]: new SecretValue(Buffer.from(value)) }));
}

test("a Secret without a response has none", () => {
  assert.deepEqual(readOcspStaple(secretWith({})), { ok: true, value: undefined });
});

test("a response in DER, base64 or PEM is read as base64 of DER", () => {
  const base64 = RESPONSE.toString("base64");
  const pem = `-----BEGIN OCSP RESPONSE-----\n${base64.slice(0, 4)}\n${base64.slice(4)}\n-----END OCSP RESPONSE-----\n`;
  for (const form of [RESPONSE, base64, `${base64}\n`, pem]) {
    assert.deepEqual(read(form), { ok: true, value: base64 });
  }
});

test("a response whose length takes two bytes is read", () => {
  const long = Buffer.concat([Buffer.from("30820103", "hex"), Buffer.from("0a0100", "hex"), Buffer.alloc(0x100)]);
  assert.deepEqual(read(long), { ok: true, value: long.toString("base64") });
});

for (const [what, value] of [
  ["nothing", ""],
  ["text", "what is this"],
  ["PEM of another kind", "-----BEGIN CERTIFICATE-----\nMAMKAQA=\n-----END CERTIFICATE-----"],
  ["DER that is cut off", RESPONSE.subarray(0, 4)],
  ["DER with something behind it", Buffer.concat([RESPONSE, RESPONSE])],
] as const) {
  test(`${what} is no response`, () => {
    const result = read(value);
    assert.equal(result.ok, false);
    assert.match(result.ok ? "" : result.error, /no OCSP response/);
  });
}

test("an answer that is no success is not shown to clients: they would take it for the certificate's fault", () => {
  const result = read(Buffer.from("30030a0103", "hex"));
  assert.match(result.ok ? "" : result.error, /could not answer/);
});
