/** Our SHA-256 gives what Node's gives. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { digest } from "./digest.ts";

test("texts of every length about the size of a block have the digest of FIPS 180-4", () => {
  for (let length = 0; length < 200; length++) {
    const text = "a".repeat(length);
    assert.equal(digest(text), hash("sha256", text), String(length));
  }
});

test("any text has the digest of FIPS 180-4", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) =>
      assert.equal(digest(text), hash("sha256", text)),
    ),
  );
});
