/** Weighted picks: shares are exact over a cycle, and never far off inside one. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compileWeightedPick } from "./weighted-pick.ts";

test("without any weight there is nothing to pick", () => {
  assert.equal(compileWeightedPick([]), undefined);
  assert.equal(compileWeightedPick([{ value: "a", weight: 0 }]), undefined);
});

test("a weight of 0 gets nothing", () => {
  const pick = compileWeightedPick([
    { value: "a", weight: 0 },
    { value: "b", weight: 1 },
  ]);
  assert.equal(pick?.(), "b");
});

test("of 500 requests 70/30 gives 350 and 150", () => {
  const counts = count([70, 30, 0], 500);
  assert.deepEqual(counts, [350, 150, 0]);
});

test("after any number of requests every share is right to within one request per target", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 300 }), (all, requests) => {
      const total = all.reduce((sum, weight) => sum + weight, 0);
      fc.pre(total > 0);
      for (const [at, counted] of count(all, requests).entries()) {
        const expected = (requests * (all[at] ?? 0)) / total;
        assert.ok(Math.abs(counted - expected) <= all.length, `${all.join()} ${requests}: ${counted}, ${expected}`);
      }
    }),
  );
});

function count(weights: readonly number[], requests: number): number[] {
  const pick = compileWeightedPick(weights.map((weight, value) => ({ value, weight })));
  const counts = weights.map(() => 0);
  for (let request = 0; request < requests; request++) {
    const at = pick?.() ?? 0;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}
