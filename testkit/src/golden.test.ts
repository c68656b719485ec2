import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertGolden, assertGoldenJson } from "./golden.ts";
import { openTemporaryDirectory } from "./temporary-directory.ts";

// With --update these comparisons would write instead of throw.
const options = { skip: process.env["UPDATE_GOLDENS"] === "1" && "golden files are being rewritten" };

test("a golden file that matches passes", options, () => {
  using directory = openTemporaryDirectory({ "x.txt": "same", "x.json": '{\n  "a": [\n    1\n  ]\n}\n' });
  assertGolden(directory.file("x.txt"), "same");
  assertGoldenJson(directory.file("x.json"), { a: [1] });
});

test("a golden file that differs is an error that says how to rewrite it, and stays as it is", options, () => {
  using directory = openTemporaryDirectory({ "x.txt": "old" });
  assert.throws(() => assertGolden(directory.file("x.txt"), "new"), /--update/);
  assert.equal(readFileSync(directory.file("x.txt"), "utf8"), "old");
});

test("a missing golden file is an error", options, () => {
  using directory = openTemporaryDirectory();
  assert.throws(() => assertGolden(directory.file("x.txt"), "new"), /there is no golden file/);
});
