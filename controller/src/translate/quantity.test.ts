import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseQuantity } from "./quantity.ts";

const QUANTITIES: readonly (readonly [number | string, number | undefined])[] = [
  [0, 0],
  [65_536, 65_536],
  ["65536", 65_536],
  ["0", 0],
  ["64Ki", 65_536],
  ["1Mi", 1_048_576],
  ["1M", 1_000_000],
  ["1k", 1000],
  ["1.5Ki", 1536],
  ["0.5Gi", 536_870_912],
  [".5k", 500],
  ["1.", 1],
  ["1e6", 1_000_000],
  ["1E6", 1_000_000],
  ["25e-1", 3],
  ["1E", undefined],
  ["1P", 1_000_000_000_000_000],
  ["7Pi", 7_881_299_347_898_368],
  ["8Pi", undefined],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ["9007199254740992", undefined],
  // Parts of a byte count as a whole one.
  ["1.0001k", 1001],
  ["1500m", 2],
  ["1n", 1],
  // No quantities.
  ["", undefined],
  [".", undefined],
  ["Ki", undefined],
  ["1K", undefined],
  ["1KB", undefined],
  ["1 Ki", undefined],
  ["-1", undefined],
  ["1e999", undefined],
  ["1_000", undefined],
  ["1Ki\n", undefined],
  ["0x10", undefined],
  ["1".repeat(20), undefined],
  [-1, undefined],
  [1.5, undefined],
  [Number.NaN, undefined],
];

for (const [text, bytes] of QUANTITIES) {
  test(`${JSON.stringify(text)} is ${bytes === undefined ? "no quantity that can be had" : `${bytes} bytes`}`, () => {
    assert.equal(parseQuantity(text), bytes);
  });
}

test("a whole number of any unit is that many units", () => {
  const units = Object.entries({ "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 });
  const property = fc.property(fc.nat(4000), fc.constantFrom(...units), (count, [suffix, size]) => {
    assert.equal(parseQuantity(`${count}${suffix}`), count * size);
  });
  fc.assert(property);
});
