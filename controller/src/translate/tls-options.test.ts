import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTlsOptions } from "./tls-options.ts";

const path = "spec.options";

function parse(options: Readonly<Record<string, string>>) {
  const named = Object.entries(options).map(([name, value]) => [
    name.includes("/") ? name : `sallyport.io/tls-${name}`,
    value,
  ]);
  return parseTlsOptions(Object.fromEntries(named) as Record<string, string>, path);
}

test("no options say nothing", () => {
  assert.deepEqual(parse({}), { flaws: [], remarks: [] });
});

test("versions and cipher suites are taken, suites in their order and each once", () => {
  const ciphers = "TLS_AES_128_GCM_SHA256, ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256";
  assert.deepEqual(parse({ "min-version": "1.2", "max-version": "1.3", ciphers }), {
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    flaws: [],
    remarks: [],
  });
});

const flawed: readonly (readonly [what: string, options: Readonly<Record<string, string>>, flaw: RegExp])[] = [
  ["a version of the past", { "min-version": "1.1" }, /"1\.1" is not a version/],
  ["a version in other words", { "max-version": "TLSv1.3" }, /"TLSv1\.3" is not a version/],
  ["versions that leave nothing", { "min-version": "1.3", "max-version": "1.2" }, /no version of TLS is left/],
  ["a cipher suite without forward secrecy", { ciphers: "AES128-GCM-SHA256" }, /AES128-GCM-SHA256 is not a cipher/],
  ["an empty list of cipher suites", { ciphers: "" }, /is empty/],
  ["what OpenSSL would take as an order to drop suites", { ciphers: "!ECDHE-RSA-AES128-GCM-SHA256" }, /! ?ECDHE/],
  ["suites of another version", { ciphers: "TLS_AES_128_GCM_SHA256", "max-version": "1.2" }, /none of these cipher/],
];

for (const [what, options, flaw] of flawed) {
  test(`${what} is a flaw`, () => {
    const { flaws } = parse(options);
    assert.equal(flaws.length, 1);
    assert.match(flaws[0]?.message ?? "", flaw);
    assert.match(flaws[0]?.path ?? "", /^spec\.options\["sallyport\.io\/tls-/);
  });
}

test("of several unknown suites each is told, and none of the list is used", () => {
  const { flaws, ciphers } = parse({ ciphers: "A,ECDHE-RSA-AES128-GCM-SHA256,B" });
  assert.deepEqual([flaws.length, ciphers], [2, undefined]);
});

test("options that nobody knows are told, and what was meant where they are ours", () => {
  const { remarks } = parse({ "example.com/other": "x", "sallyport.io/tls-min-versio": "1.2" });
  assert.deepEqual(
    remarks.map(({ path: where, hint }) => [where, hint]),
    [
      ['spec.options["example.com/other"]', undefined],
      ['spec.options["sallyport.io/tls-min-versio"]', "did you mean sallyport.io/tls-min-version?"],
    ],
  );
});
