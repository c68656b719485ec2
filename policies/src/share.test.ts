/** Sampling: exact at the ends, right on average between them. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compileShare } from "./share.ts";

test("nothing and everything need no luck", () => {
  const refuse = (): number => {
    throw new Error("drew a random number");
  };
  assert.equal(compileShare({ numerator: 0, denominator: 100 }, refuse)(), false);
  assert.equal(compileShare({ numerator: 100, denominator: 100 }, refuse)(), true);
  assert.equal(compileShare({ numerator: 1, denominator: 0 }, refuse)(), false);
});

test("of evenly spread draws exactly the share is sampled", () => {
  const draws = 1000;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (numerator) => {
      let drawn = 0;
      const sample = compileShare({ numerator, denominator: 100 }, () => drawn++ / draws);
      let sampled = 0;
      for (let i = 0; i < draws; i++) if (sample()) sampled++;
      assert.equal(sampled, numerator * 10);
    }),
  );
});
