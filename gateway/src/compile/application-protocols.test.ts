import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenerTls } from "@sallyport/model/listener";
import { toApplicationProtocols } from "./application-protocols.ts";

const FIT = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "DHE-RSA-AES128-CCM8"];
/** Of RFC 9113 appendix A: no ephemeral keys, CBC, no authentication; and a word of OpenSSL for many. */
const UNFIT = ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "ADH-AES128-GCM-SHA256", "HIGH"];

type Case = readonly [what: string, tls: Partial<ListenerTls>, offered: boolean];

const cases: readonly Case[] = [
  ["our own suites", {}, true],
  ["suites of TLS 1.3 alone", { ciphers: ["TLS_AES_128_GCM_SHA256"] }, true],
  ["suites that are fit", { ciphers: FIT }, true],
  ["suites that are not, behind those that are", { ciphers: [...FIT, ...UNFIT] }, true],
  ["suites that are not, where TLS 1.2 is not served", { ciphers: UNFIT, minVersion: "1.3" }, true],
  ...UNFIT.map((name): Case => [`${name} before a suite that is fit`, { ciphers: [name, ...FIT] }, false]),
  ...UNFIT.map((name): Case => [`${name} alone`, { ciphers: [name] }, false]),
];

for (const [what, tls, offered] of cases) {
  test(`with ${what} HTTP/2 is ${offered ? "" : "not "}offered`, () => {
    const offer = toApplicationProtocols({ certificates: [], ...tls });
    assert.deepEqual(offer, offered ? ["h2", "http/1.1"] : ["http/1.1"]);
  });
}
