import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { openTemporaryDirectory } from "./temporary-directory.ts";

test("a temporary directory holds its first files and those written later, and nothing else", () => {
  using directory = openTemporaryDirectory({ "a.yaml": "a", "deep/b.yaml": "b" });
  const path = directory.write("a.yaml", "changed");
  assert.equal(path, directory.file("a.yaml"));
  assert.equal(readFileSync(path, "utf8"), "changed");
  assert.equal(readFileSync(directory.file("deep/b.yaml"), "utf8"), "b");
  assert.deepEqual(readdirSync(directory.path).toSorted(), ["a.yaml", "deep"]);
});

test("a temporary directory is gone after its scope, and closing it again does nothing", () => {
  const directory = openTemporaryDirectory({ "a.yaml": "a" });
  directory.close();
  assert.equal(existsSync(directory.path), false);
  directory.close();
});
