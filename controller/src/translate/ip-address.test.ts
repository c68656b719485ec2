import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { toIpVersion } from "./ip-address.ts";

const texts = [
  "127.0.0.1",
  "255.255.255.255",
  "256.0.0.1",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "1.2.3.",
  "",
  "a",
  "localhost",
  "::",
  "::1",
  "1::",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "::ffff:1.2.3.4",
  "1:2:3:4:5:6:1.2.3.4",
  "1.2.3.4::",
  "::1::",
  ":::",
  ":1",
  "1:",
  "[::1]",
  "12345::",
  "g::",
  "1:2:3:4:5:6:7::",
  "::2:3:4:5:6:7:8",
  "1::2:3:4:5:6:7:8",
];

test("texts are addresses exactly where node:net says so", () => {
  for (const text of texts) assert.equal(toIpVersion(text) ?? 0, isIP(text), text);
});

test("arbitrary mixtures of address characters are addresses exactly where node:net says so", () => {
  const anyText = fc.array(fc.constantFrom("1", "255", "0", "a", ":", "::", ".", "ffff"), { maxLength: 12 });
  fc.assert(fc.property(anyText, (parts) => assert.equal(toIpVersion(parts.join("")) ?? 0, isIP(parts.join("")))));
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => assert.equal(toIpVersion(text) ?? 0, isIP(text))));
});
