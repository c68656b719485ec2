import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { TurnBudget } from "./turn-budget.ts";

/** Work that notes in which turn it ran. */
function toWork(log: number[], turn: () => number, abandoned = false): { abandoned: boolean; run(): void } {
  return { abandoned, run: () => void log.push(turn()) };
}

test("so many run at once and in each turn after, in order", async () => {
  const budget = new TurnBudget(2);
  const log: number[] = [];
  let turn = 0;
  for (let i = 0; i < 7; i++) budget.run(toWork(log, () => turn));
  assert.deepEqual([log, budget.waiting], [[0, 0], 5]);
  for (turn = 1; turn < 5; turn++) await setImmediate();
  assert.deepEqual([log, budget.waiting], [[0, 0, 1, 1, 2, 2, 3], 0]);
});

test("what nobody wants any more is passed over, and costs no turn", async () => {
  const budget = new TurnBudget(1);
  const log: number[] = [];
  const works = [0, 1, 2, 3].map((id) => toWork(log, () => id));
  for (const work of works) budget.run(work);
  works[1]!.abandoned = works[2]!.abandoned = true;
  await setImmediate();
  assert.deepEqual(log, [0, 3]);
});

test("after a quiet turn there is room again at once", async () => {
  const budget = new TurnBudget(1);
  const log: number[] = [];
  budget.run(toWork(log, () => 1));
  await setImmediate();
  await setImmediate();
  budget.run(toWork(log, () => 2));
  assert.deepEqual(log, [1, 2]);
});

test("thousands wait and all run", async () => {
  const budget = new TurnBudget(3);
  const log: number[] = [];
  for (let i = 0; i < 5000; i++) budget.run(toWork(log, () => i));
  while (budget.waiting > 0) await setImmediate();
  assert.equal(log.length, 5000);
});
