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
  const suites = "TLS_AES_128_GCM_SHA256, ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256";
  assert.deepEqual(parse({ "min-version": "1.2", "max-version": "1.3", "cipher-suites": suites }), {
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    flaws: [],
    remarks: [],
  });
});

test("suites may have the names of IANA, which mean the same as those of OpenSSL", () => {
  const names = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_AES_256_GCM_SHA384",
  ];
  assert.deepEqual(parse({ "cipher-suites": names.join(",") }), {
    ciphers: [
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-RSA-AES256-GCM-SHA384",
      "ECDHE-RSA-CHACHA20-POLY1305",
      "TLS_AES_256_GCM_SHA384",
    ],
    flaws: [],
    remarks: [],
  });
});

test("an option that somebody else reads is no unknown one, and may be what was meant", () => {
  const options = { "sallyport.io/other": "x", "sallyport.io/othr": "x" };
  const { remarks } = parseTlsOptions(options, path, ["sallyport.io/other"]);
  assert.deepEqual(
    remarks.map(({ path: where, hint }) => [where, hint]),
    [['spec.options["sallyport.io/othr"]', "did you mean sallyport.io/other?"]],
  );
});

const flawed: readonly (readonly [what: string, options: Readonly<Record<string, string>>, flaw: RegExp])[] = [
  ["a version of the past", { "min-version": "1.1" }, /"1\.1" is not a version/],
  ["a version in other words", { "max-version": "TLSv1.3" }, /"TLSv1\.3" is not a version/],
  ["versions that leave nothing", { "min-version": "1.3", "max-version": "1.2" }, /no version of TLS is left/],
  [
    "a cipher suite without forward secrecy",
    { "cipher-suites": "AES128-GCM-SHA256" },
    /AES128-GCM-SHA256 is not a cipher/,
  ],
  ["an old suite by its name of IANA", { "cipher-suites": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" }, /_CBC_SHA is not/],
  ["an empty list of cipher suites", { "cipher-suites": "" }, /is empty/],
  [
    "what OpenSSL would take as an order to drop suites",
    { "cipher-suites": "!ECDHE-RSA-AES128-GCM-SHA256" },
    /! ?ECDHE/,
  ],
  [
    "suites of another version",
    { "cipher-suites": "TLS_AES_128_GCM_SHA256", "max-version": "1.2" },
    /none of these cipher/,
  ],
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
  const { flaws, ciphers } = parse({ "cipher-suites": "A,ECDHE-RSA-AES128-GCM-SHA256,B" });
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
