import assert from "node:assert/strict";
import { test } from "node:test";
import { BudgetShare, connectionLimit, ConnectionBudget, readOpenFilesLimit } from "./budget.ts";

test("a budget has so many places, and they come back", () => {
  const budget = new ConnectionBudget(2);
  assert.deepEqual([budget.take(), budget.take(), budget.take()], [true, true, false]);
  assert.deepEqual([budget.open, budget.refused], [2, 1]);
  budget.giveBack();
  assert.ok(budget.take());
});

test("a share leaves half of the places to others, and takes none that are not there", () => {
  const budget = new ConnectionBudget(4);
  const share = new BudgetShare(budget);
  assert.deepEqual([share.take(), share.take(), share.take()], [true, true, false]);
  assert.equal(budget.open, 2);
  share.giveBack();
  assert.deepEqual([budget.take(), budget.take(), budget.take(), share.take()], [true, true, true, false]);
  budget.giveBack();
  assert.equal(share.take(), true);
});

test("the limit leaves a descriptor for every connection's upstream", () => {
  assert.equal(connectionLimit(1024, 1), 448);
  assert.equal(connectionLimit(1_048_576, 1), 50_000);
  assert.equal(connectionLimit(1_048_576, 4), 12_500);
  assert.equal(connectionLimit(Number.POSITIVE_INFINITY, 1), 50_000);
  assert.equal(connectionLimit(64, 1), 16);
});

test("the limit of this process is known or without end", () => {
  assert.ok(readOpenFilesLimit() > 0);
});
