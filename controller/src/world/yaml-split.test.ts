import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runs } from "@sallyport/testkit/runs";
import { parseYaml } from "./yaml-document.ts";
import { splitYaml } from "./yaml-split.ts";

function valuesOf(text: string): unknown[] {
  return parseYaml(text)
    .filter((document) => document.value !== null || document.problems.length > 0)
    .map((document) => (document.problems.length > 0 ? "broken" : document.value));
}

test("each document is a chunk at its line", () => {
  assert.deepEqual(splitYaml("a: 1\n---\n# two\nb: 2\n--- # three\nc: 3\n"), [
    { text: "a: 1\n", line: 1 },
    { text: "---\n# two\nb: 2\n", line: 2 },
    { text: "--- # three\nc: 3\n", line: 5 },
  ]);
});

test("comments and empty documents are no chunks, but count as lines", () => {
  assert.deepEqual(splitYaml("# only\n\n---\n---\n  # a comment\n---\na: 1\n"), [{ text: "---\na: 1\n", line: 6 }]);
  assert.deepEqual(splitYaml(""), []);
});

test("a marker ends with white space, a line break of any kind or the file", () => {
  for (const end of [" # b", "\t# b", "\r", ""])
    assert.deepEqual(splitYaml(`a: 1\n---${end}\nb: 2\n`), [
      { text: "a: 1\n", line: 1 },
      { text: `---${end}\nb: 2\n`, line: 2 },
    ]);
  assert.deepEqual(splitYaml("a: 1\n---"), [{ text: "a: 1\n", line: 1 }]);
});

test("only a marker at the start of a line ends a document", () => {
  for (const text of ["a: b---\n", "a: |\n  ---\n  x\n", "a: ----\n", "---a: 1\n", "a: '\n  ---\n  '\n"])
    assert.equal(splitYaml(text).length, 1, text);
});

test("a file with directives is left whole", () => {
  assert.equal(splitYaml("%YAML 1.2\n---\na: 1\n---\nb: 2\n").length, 1);
});

test("splitting changes nothing about what a file says", () => {
  const line = fc.constantFrom(
    ...[
      "---",
      "--- # c",
      "--- {x: 1}",
      "a: 1",
      "b: |",
      "  text",
      "  --- in",
      "# c",
      "",
      "- 1",
      "...",
      "c: 'q",
      "'",
      "---\r",
    ],
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = `${lines.join("\n")}\n`;
      const whole = valuesOf(text);
      // A mistake in one document makes the parser see the ones after it differently; split, they stand on their own.
      fc.pre(!whole.includes("broken"));
      assert.deepEqual(
        splitYaml(text).flatMap((chunk) => valuesOf(chunk.text)),
        whole,
        JSON.stringify(text),
      );
    }),
    { numRuns: runs(700), seed: 3 },
  );
});
