/** Query parameters: the WHATWG parser is the oracle; oddities by name. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { findQueryValue } from "./query.ts";

const CASES: readonly (readonly [query: string, name: string, value: string | undefined])[] = [
  ["animal=whale", "animal", "whale"],
  ["color=blue&animal=whale", "animal", "whale"],
  ["animal=whale&animal=dolphin", "animal", "whale"],
  ["animalia=x", "animal", undefined],
  ["ANIMAL=whale", "animal", undefined],
  ["animal", "animal", ""],
  ["animal=", "animal", ""],
  ["", "animal", undefined],
  ["&&animal=a=b", "animal", "a=b"],
  ["a%6eimal=wh%61le", "animal", "whale"],
  ["animal=blue+whale", "animal", "blue whale"],
  ["animal=blue%2Bwhale", "animal", "blue+whale"],
  ["animal=%zz%4", "animal", "%zz%4"],
  ["animal=%C3%BC", "animal", "\u00fc"],
  ["animal=\u00c3\u00bc", "animal", "\u00fc"],
];

for (const [query, name, value] of CASES) {
  test(`${name} of "${query}" is ${value === undefined ? "not there" : `"${value}"`}`, () => {
    assert.equal(findQueryValue(query, name), value);
  });
}

test("the answer is that of a browser's parser", () => {
  const queries = fc.stringMatching(/^[ab=&%+416]{0,20}$/);
  const names = fc.stringMatching(/^[ab A]{0,2}$/);
  fc.assert(
    fc.property(queries, names, (query, name) => {
      assert.equal(findQueryValue(query, name) ?? null, new URLSearchParams(query).get(name));
    }),
    { numRuns: 5000 },
  );
});
