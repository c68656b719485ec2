/** The path index: what wins by name, and against the plain reading (sort all matches, take the first that holds). */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { HttpMatch } from "@sallyport/model/match";
import fc from "fast-check";
import { toCandidate, toInput, toMatch } from "../../test/router/inputs.ts";
import type { Candidate } from "./candidate.ts";
import type { RouteInput } from "./contract.ts";
import { type PathIndex, PathIndexEdit } from "./path-index.ts";
import { compareMatchRanks } from "./precedence.ts";

const NAMED = {
  exact: toCandidate(toMatch({ kind: "exact", value: "/match/exact" })),
  pattern: toCandidate(toMatch({ kind: "regex", value: "/match/f[a-z]x" })),
  prefix: toCandidate(toMatch({ kind: "prefix", value: "/match/" })),
  longer: toCandidate(toMatch({ kind: "prefix", value: "/match/prefix" })),
  posted: toCandidate(toMatch({ kind: "prefix", value: "/match/prefix" }, { method: "POST" })),
  root: toCandidate(toMatch({ kind: "prefix", value: "/" })),
};

const CASES: readonly (readonly [path: string, winner: keyof typeof NAMED | undefined])[] = [
  ["/match/exact", "exact"],
  ["/match/exact/", "prefix"],
  ["/match/fax", "pattern"],
  ["/match", "prefix"],
  ["/match/", "prefix"],
  ["/match/prefix", "longer"],
  ["/match/prefix/one", "longer"],
  ["/match/prefixing", "prefix"],
  ["/matching", "root"],
  ["/", "root"],
  ["*", undefined],
  ["", undefined],
];

for (const [path, winner] of CASES) {
  test(`${path || "an empty path"} goes to ${winner ?? "nothing"}`, () => {
    const found = build(Object.values(NAMED))?.find(toInput({ path }));
    assert.equal(found, winner === undefined ? undefined : NAMED[winner].result);
  });
}

test("a match whose conditions fail makes way for the next in line", () => {
  const index = build(Object.values(NAMED));
  assert.equal(index?.find(toInput({ path: "/match/prefix", method: "POST" })), NAMED.posted.result);
  assert.equal(index?.find(toInput({ path: "/match/prefix", method: "PUT" })), NAMED.longer.result);
});

test("prefixes with one hash are told apart", () => {
  const [one, other] = ["/Aa", "/BB"].map((value) => toCandidate(toMatch({ kind: "prefix", value })));
  assert.ok(one !== undefined && other !== undefined);
  assert.equal(build([one])?.find(toInput({ path: "/BB" })), undefined);
  const both = build([one, other]);
  assert.equal(both?.find(toInput({ path: "/Aa/x" })), one.result);
  assert.equal(both?.find(toInput({ path: "/BB" })), other.result);
  const edit = new PathIndexEdit(both);
  edit.remove(one);
  assert.equal(edit.finish()?.find(toInput({ path: "/BB" })), other.result);
});

test("an index from which everything was taken is none", () => {
  const index = build(Object.values(NAMED));
  const edit = new PathIndexEdit(index);
  for (const candidate of Object.values(NAMED)) edit.remove(candidate);
  assert.equal(edit.finish(), undefined);
});

const path = fc
  .array(fc.constantFrom("a", "b", "ab"), { maxLength: 3 })
  .chain((parts) => fc.constantFrom(`/${parts.join("/")}`, `/${parts.join("/")}/`));
const pathMatch: fc.Arbitrary<HttpMatch["path"]> = fc.oneof(
  path.map((value) => ({ kind: "exact" as const, value })),
  path.map((value) => ({ kind: "prefix" as const, value })),
  fc.constantFrom("/a.*", "/[ab]", "/a/(a|b)", ".*").map((value) => ({ kind: "regex" as const, value })),
);
const headers = fc
  .boolean()
  .map((asked): HttpMatch["headers"] => (asked ? [{ name: "h", kind: "exact", value: "1" }] : []));
const match: fc.Arbitrary<HttpMatch> = fc
  .tuple(pathMatch, headers, fc.constantFrom(undefined, "GET", "POST"))
  .map(([value, conditions, method]) =>
    toMatch(value, { headers: conditions, ...(method === undefined ? {} : { method }) }),
  );
const matches = fc.array(match, { maxLength: 25 });
const candidates = matches.map((all) => all.map((one, ruleIndex) => toCandidate(one, { ruleIndex })));
const others = matches.map((all) =>
  all.map((one, ruleIndex) => toCandidate(one, { ruleIndex, routeKey: `ns/${ruleIndex % 2 === 0 ? "a" : "z"}` })),
);
const input: fc.Arbitrary<RouteInput> = fc
  .record({ path, method: fc.constantFrom("GET", "POST"), headers: fc.constantFrom({}, { h: "1" }) })
  .map(toInput);

test("the winner is the first that holds of all matches in order", () => {
  fc.assert(
    fc.property(candidates, fc.array(input, { maxLength: 10 }), (all, inputs) => {
      const index = build(all);
      for (const one of inputs) assert.equal(index?.find(one), findByTrying(all, one)?.result);
    }),
    { numRuns: 1000 },
  );
});

test("an edited index answers as one built anew, and the one before it as before", () => {
  fc.assert(
    fc.property(candidates, others, fc.array(input, { maxLength: 10 }), (before, added, inputs) => {
      const kept = before.filter((_, at) => at % 2 === 0);
      const base = build(before);
      const edit = new PathIndexEdit(base);
      for (const candidate of before) if (!kept.includes(candidate)) edit.remove(candidate);
      for (const candidate of added) edit.add(candidate);
      const edited = edit.finish();
      for (const one of inputs) {
        assert.equal(edited?.find(one), findByTrying([...kept, ...added], one)?.result);
        assert.equal(base?.find(one), findByTrying(before, one)?.result);
      }
    }),
    { numRuns: 500 },
  );
});

function build(all: readonly Candidate[]): PathIndex | undefined {
  const edit = new PathIndexEdit(undefined);
  for (const candidate of all) edit.add(candidate);
  return edit.finish();
}

function findByTrying(all: readonly Candidate[], one: RouteInput): Candidate | undefined {
  const ordered = [...all].sort((left, right) => compareMatchRanks(left.rank, right.rank));
  return ordered.find((candidate) => {
    if (candidate.accepts !== undefined && !candidate.accepts(one)) return false;
    switch (candidate.rank.pathKind) {
      case "exact":
        return one.routePath === candidate.path;
      case "prefix":
        return `${one.routePath}/`.startsWith(`${candidate.path}/`);
      case "regex":
        return candidate.matchesPath?.(one.routePath) === true;
    }
  });
}
