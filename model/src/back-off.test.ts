import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BackOff } from "./back-off.ts";

test("waits double up to the longest, between half of it and all", () => {
  const drawn = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(drawn, (chance) => {
      const backOff = new BackOff({ first: 100, longest: 2000 }, () => chance);
      for (const bound of [100, 200, 400, 800, 1600, 2000, 2000]) {
        const wait = backOff.fail();
        assert.ok(wait >= bound / 2 && wait <= bound, `${wait} of ${bound}`);
      }
      backOff.reset();
      assert.ok(backOff.fail() <= 100);
    }),
  );
});

test("what the other side asks to wait is waited for, but not longer than a minute", () => {
  const backOff = new BackOff({ first: 100, longest: 2000 }, () => 0.5);
  assert.equal(backOff.fail(5000), 5050);
  assert.equal(backOff.fail(86_400_000), 60_050);
  assert.equal(backOff.fail(1), 300);
});
