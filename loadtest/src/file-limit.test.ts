import assert from "node:assert/strict";
import { test } from "node:test";
import { heldConnections, parseFileLimit } from "./file-limit.ts";

test("the soft limit on open files is read among the others", () => {
  const text = "Limit                     Soft Limit           Hard Limit           Units\n";
  const files = "Max open files            20000                65536                files\n";
  assert.equal(
    parseFileLimit(`${text}Max processes             95000                95000                processes\n${files}`),
    20_000,
  );
  assert.equal(
    parseFileLimit("Max open files            unlimited            unlimited            files\n"),
    Number.POSITIVE_INFINITY,
  );
  assert.throws(() => parseFileLimit(text), /no limit on open files/);
});

test("fewer connections are held where files are scarce, never more than wished", () => {
  assert.equal(heldConnections(10_000, 65_536), 10_000);
  assert.equal(heldConnections(10_000, 20_000), 9744);
});
