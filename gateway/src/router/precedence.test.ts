/** Precedence: the criteria one by one, and that they make a total order. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compareMatchRanks, type MatchRank, toMatchRank, toPathValue } from "./precedence.ts";

const PLAIN: MatchRank = {
  pathKind: "prefix",
  pathLength: 2,
  hasMethod: false,
  callMethodLength: 0,
  headers: 0,
  query: 0,
  age: "2026-01-01T00:00:00Z",
  routeKey: "b/b",
  ruleIndex: 1,
  matchIndex: 1,
};

/** Each wins over PLAIN by one criterion while losing by every one after it. */
const WINNERS: readonly (readonly [why: string, rank: Partial<MatchRank>])[] = [
  ["an exact path", { pathKind: "exact", pathLength: 1, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["a pattern", { pathKind: "regex", pathLength: 1, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["a longer prefix", { pathLength: 3, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["a longer method of a call", { callMethodLength: 1, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["a method", { hasMethod: true, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["more headers", { headers: 1, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["more query parameters", { query: 1, age: "z", routeKey: "z/z", ruleIndex: 9 }],
  ["an older route", { age: "2025-12-31T23:59:59Z", routeKey: "z/z", ruleIndex: 9 }],
  ["the first name", { routeKey: "a/z", ruleIndex: 9 }],
  ["the first rule", { ruleIndex: 0, matchIndex: 9 }],
  ["the first match", { matchIndex: 0 }],
];

for (const [why, rank] of WINNERS) {
  test(`${why} decides before everything that comes after it`, () => {
    const winner = { ...PLAIN, ...rank };
    assert.ok(compareMatchRanks(winner, PLAIN) < 0);
    assert.ok(compareMatchRanks(PLAIN, winner) > 0);
  });
}

test("an exact path wins over a longer pattern, which wins over a longer prefix", () => {
  const exact: MatchRank = { ...PLAIN, pathKind: "exact", pathLength: 1 };
  const regex: MatchRank = { ...PLAIN, pathKind: "regex", pathLength: 5 };
  const prefix: MatchRank = { ...PLAIN, pathKind: "prefix", pathLength: 9 };
  assert.deepEqual([prefix, regex, exact].sort(compareMatchRanks), [exact, regex, prefix]);
});

test("file mode's ages count as younger than every timestamp", () => {
  const written: MatchRank = { ...PLAIN, age: "~000001.0002" };
  assert.ok(compareMatchRanks(PLAIN, written) < 0);
});

test("trailing slashes of a prefix count for nothing", () => {
  assert.equal(toPathValue({ kind: "prefix", value: "/match/" }), "/match");
  assert.equal(toPathValue({ kind: "prefix", value: "/" }), "");
  assert.equal(toPathValue({ kind: "exact", value: "/match/" }), "/match/");
  const place = { age: "", routeKey: "", ruleIndex: 0, matchIndex: 0 };
  const path = { kind: "prefix", value: "/a/" } as const;
  assert.equal(toMatchRank({ path, headers: [], query: [] }, place).pathLength, 2);
});

const few = fc.integer({ min: 0, max: 2 });
const ranks: fc.Arbitrary<MatchRank> = fc.record(
  {
    pathKind: fc.constantFrom("exact" as const, "regex" as const, "prefix" as const),
    pathLength: few,
    callMethodLength: few,
    hasMethod: fc.boolean(),
    headers: few,
    query: few,
    age: fc.constantFrom("", "a", "b"),
    routeKey: fc.constantFrom("a/a", "a/b"),
    ruleIndex: few,
    matchIndex: few,
  },
  // compared by deepEqual, which looks at prototypes too
  { noNullPrototype: true },
);

test("the order is total: antisymmetric, transitive, and 0 only for the same match", () => {
  fc.assert(
    fc.property(ranks, ranks, ranks, (a, b, c) => {
      assert.equal(Math.sign(compareMatchRanks(a, b)), -Math.sign(compareMatchRanks(b, a)) + 0);
      if (compareMatchRanks(a, b) === 0) assert.deepEqual(a, b);
      if (compareMatchRanks(a, b) <= 0 && compareMatchRanks(b, c) <= 0) assert.ok(compareMatchRanks(a, c) <= 0);
    }),
    { numRuns: 2000 },
  );
});
