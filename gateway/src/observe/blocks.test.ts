import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockTable, OTHER_BLOCK } from "./blocks.ts";

test("names get blocks of their own up to the cap and share the block of the others beyond", () => {
  const table = new BlockTable(3, () => assert.fail("nothing to recycle"));
  table.reserve(["a", "b", "c"]);
  table.retain(new Set(["a", "b", "c"]));
  assert.deepEqual(table.entries(), [
    ["a", 1],
    ["b", 2],
  ]);
  assert.equal(table.get("c"), OTHER_BLOCK);
  assert.equal(table.overflowed, 1);
});

test("a name that comes back finds its block as it left it", () => {
  const table = new BlockTable(4, () => assert.fail("its block is still its own"));
  table.reserve(["a", "b"]);
  table.retain(new Set(["b"]));
  assert.deepEqual(table.entries(), [["b", 2]]);
  table.reserve(["a"]);
  assert.equal(table.get("a"), 1);
});

test("when blocks run out, the one retired longest goes to the new name", () => {
  const recycled: number[] = [];
  const table = new BlockTable(3, (block) => recycled.push(block));
  table.reserve(["a", "b"]);
  table.retain(new Set(["b"]));
  table.retain(new Set());
  table.reserve(["c"]);
  assert.equal(table.get("c"), 1);
  assert.deepEqual(recycled, [1]);
  table.reserve(["a"]);
  assert.equal(table.get("a"), 2);
  assert.deepEqual(recycled, [1, 2]);
});

test("with a cap of nothing every name is one of the others", () => {
  const table = new BlockTable(0, () => assert.fail("nothing to recycle"));
  table.reserve(["a"]);
  assert.equal(table.get("a"), OTHER_BLOCK);
  assert.deepEqual(table.entries(), []);
});
