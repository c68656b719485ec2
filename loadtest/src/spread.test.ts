import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile, spreadOf } from "./spread.ts";

test("the median of an odd number of samples is the middle one, whatever their order", () => {
  assert.deepEqual(spreadOf([10, 9, 100]), { median: 10, min: 9, max: 100, samples: 3 });
});

test("the median of an even number of samples is the mean of the two in the middle", () => {
  assert.equal(spreadOf([4, 1, 2, 100])?.median, 3);
});

test("samples are ordered by value, not by their text", () => {
  assert.equal(spreadOf([9, 10, 11])?.median, 10);
});

test("no samples have no spread, which no figure can be mistaken for", () => {
  assert.equal(spreadOf([]), undefined);
  assert.ok(Number.isNaN(percentile([], 0.99)));
});

test("a percentile is the sample that this share does not exceed", () => {
  const samples = Array.from({ length: 200 }, (_, index) => 200 - index);
  assert.equal(percentile(samples, 0.5), 100);
  assert.equal(percentile(samples, 0.99), 198);
  assert.equal(percentile(samples, 1), 200);
  assert.equal(percentile(samples, 0), 1);
});
