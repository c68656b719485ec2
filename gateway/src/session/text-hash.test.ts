import assert from "node:assert/strict";
import { test } from "node:test";
import { hashText } from "./text-hash.ts";

test("the values are those of MurmurHash3", () => {
  assert.equal(hashText(""), 0);
  assert.equal(hashText("", 1), 0x514e28b7);
  assert.equal(hashText("a"), 0x3c2569b2);
  assert.equal(hashText("hello"), 0x248bfa47);
  assert.equal(hashText("hello, world"), 0x149bbb7f);
  assert.equal(hashText("The quick brown fox jumps over the lazy dog"), 0x2e4ff723);
});

test("texts that differ little are spread evenly", () => {
  const shares = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < 16_000; i++) {
    const share = hashText(`10.0.${i >> 8}.${i & 255}`) >>> 28;
    shares[share] = (shares[share] ?? 0) + 1;
  }
  for (const share of shares) assert.ok(share > 850 && share < 1150, String(shares));
});
