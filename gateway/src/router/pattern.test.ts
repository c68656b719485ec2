/** Patterns: anchored at both ends, and a prefilter that never changes the answer. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { RE2JS, RE2JSException } from "re2js";
import { processorTime } from "@sallyport/testkit/processor-time";
import { compilePattern, toLiteralPrefix } from "./pattern.ts";

const PREFIXES: readonly (readonly [pattern: string, prefix: string])[] = [
  ["/api/v[0-9]+/.*", "/api/v"],
  ["^/api/(v1|v2)$", "/api/"],
  ["/a|/b", ""],
  ["/(a|b)|/c", ""],
  ["/x[|]y", "/x"],
  ["/x[]|]y", "/x"],
  ["/x[[:alpha:]|]y", "/x"],
  ["/x\\|y", "/x|y"],
  ["/ab*", "/a"],
  ["/ab?c", "/a"],
  ["/ab{0,2}c", "/a"],
  ["/ab+c", "/ab"],
  ["/a\\.b", "/a.b"],
  ["/a\\.?b", "/a"],
  ["/a\\\\*b", "/a"],
  ["/a\\d", "/a"],
  ["(?i)/abc", ""],
  ["/\\Qa|b\\E", ""],
  ["", ""],
  [".*", ""],
];

for (const [pattern, prefix] of PREFIXES) {
  test(`every match of ${pattern} begins with "${prefix}"`, () => assert.equal(toLiteralPrefix(pattern), prefix));
}

test("a pattern must match the whole text", () => {
  const matches = compilePattern("/a/[0-9]+");
  assert.ok(matches("/a/12"));
  for (const text of ["/a/12/", "x/a/12", "/a/", "/A/12", "/a/12\n"]) assert.ok(!matches(text), text);
});

test("an alternative outside groups does not reach around the anchors", () => {
  const matches = compilePattern("/a|/b");
  assert.ok(matches("/a") && matches("/b"));
  assert.ok(!matches("/a/x") && !matches("/x/b"));
});

test("a pattern that makes backtracking engines explode takes linear time", () => {
  const matches = compilePattern("/(a*)*b");
  const took = processorTime(() => assert.equal(matches(`/${"a".repeat(5000)}`), false));
  assert.ok(took < 1000, `${took} ms`);
});

test("the prefilter gives the answer of the expression, whatever the pattern", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "/",
    "\\.",
    "\\d",
    "|",
    "(",
    ")",
    "[",
    "]",
    "^",
    "*",
    "+",
    "?",
    "{2}",
    ":",
    ".",
  );
  const patterns = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const texts = fc.stringMatching(/^[ab/.:|1]{0,6}$/);
  fc.assert(
    fc.property(patterns, fc.array(texts, { maxLength: 12 }), (pattern, samples) => {
      const expression = compileOrUndefined(pattern);
      fc.pre(expression !== undefined);
      const matches = compilePattern(pattern);
      for (const text of samples) assert.equal(matches(text), expression.testExact(text), `${pattern} on ${text}`);
    }),
    { numRuns: 1000 },
  );
});

function compileOrUndefined(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) return undefined;
    throw error;
  }
}
