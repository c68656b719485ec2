import assert from "node:assert/strict";
import { test } from "node:test";
import { layoutFor, parseProcessorList } from "./layout.ts";

test("with two processors the proxy has one to itself", () => {
  const layout = layoutFor([0, 1], "on");
  assert.deepEqual([layout.proxy, layout.backend, layout.client], ["0", "1", "1"]);
});

test("with more processors each side has its own and the client the rest", () => {
  const layout = layoutFor([2, 3, 8, 9], "on");
  assert.deepEqual([layout.proxy, layout.backend, layout.client], ["2", "3", "8,9"]);
});

test("nothing is pinned on one processor or when pinning is off", () => {
  assert.deepEqual(layoutFor([0], "on"), { name: "not pinned" });
  assert.deepEqual(layoutFor([0, 1, 2], "off"), { name: "not pinned" });
});

test("processor lists are read with ranges and gaps", () => {
  assert.deepEqual(parseProcessorList("0-2,5,8-9\n"), [0, 1, 2, 5, 8, 9]);
  assert.deepEqual(parseProcessorList(""), []);
  assert.throws(() => parseProcessorList("all"), /not a processor list/);
});
