import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { joinSettings, joinTls, type TlsTerms, toHttpOptions } from "./client-settings.ts";

const GCM_OF_1_2 = "ECDHE-RSA-AES128-GCM-SHA256";
const GCM_OF_1_3 = "TLS_AES_128_GCM_SHA256";

const JOINS: readonly (readonly [what: string, own: TlsTerms, policy: TlsTerms | undefined, joined: TlsTerms])[] = [
  ["no policy", { minVersion: "1.3" }, undefined, { minVersion: "1.3" }],
  ["a policy alone", {}, { minVersion: "1.2", maxVersion: "1.2" }, { minVersion: "1.2", maxVersion: "1.2" }],
  [
    "each option by itself",
    { minVersion: "1.3" },
    { minVersion: "1.2", maxVersion: "1.3" },
    { minVersion: "1.3", maxVersion: "1.3" },
  ],
  ["no version in common", { maxVersion: "1.2" }, { minVersion: "1.3", maxVersion: "1.3" }, { maxVersion: "1.2" }],
  [
    "no version in common, the other way",
    { minVersion: "1.3" },
    { minVersion: "1.2", maxVersion: "1.2" },
    { minVersion: "1.3" },
  ],
  ["suites of the listener", { ciphers: [GCM_OF_1_2] }, { ciphers: [GCM_OF_1_3] }, { ciphers: [GCM_OF_1_2] }],
  [
    "suites that fit",
    { maxVersion: "1.2" },
    { ciphers: [GCM_OF_1_3, GCM_OF_1_2] },
    { maxVersion: "1.2", ciphers: [GCM_OF_1_3, GCM_OF_1_2] },
  ],
  ["suites of another version", { maxVersion: "1.2" }, { ciphers: [GCM_OF_1_3] }, { maxVersion: "1.2" }],
];
for (const [what, own, policy, joined] of JOINS) {
  test(`TLS of a listener and a policy: ${what}`, () => assert.deepEqual(joinTls(own, policy), joined));
}

test("HTTP options nobody says anything of are those of the process, the same object", () => {
  assert.equal(toHttpOptions(DEFAULT_HTTP_SERVER_OPTIONS, joinSettings([undefined])), DEFAULT_HTTP_SERVER_OPTIONS);
});

test("a policy that trusts nobody goes before what the process was started with", () => {
  const base = { ...DEFAULT_HTTP_SERVER_OPTIONS, trustedHops: 2 };
  assert.equal(toHttpOptions(base, { http: { trustedHops: 0 } }).trustedHops, 0);
  assert.equal(toHttpOptions(base, {}).trustedHops, 2);
});

test("one limit of HTTP/2 leaves the others as they are", () => {
  const { http2 } = toHttpOptions(DEFAULT_HTTP_SERVER_OPTIONS, { http2: { abuseBudget: 5 } });
  assert.deepEqual(http2, {
    maxConcurrentStreams: 100,
    streamWindow: 65_536,
    connectionWindow: 1_048_576,
    abuseBudget: 5,
  });
});
