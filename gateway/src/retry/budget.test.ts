import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryAllowance } from "./budget.ts";

test("as many retries at once as the share of what is active, or the minimum", () => {
  const allowance = new RetryAllowance();
  allowance.update({ kind: "concurrent", percent: 20, minimum: 3 }, 0, 0);
  const take = (active: number): boolean => allowance.take(0, { active, begun: 0 });
  assert.deepEqual([take(1), take(1), take(1), take(1)], [true, true, true, false]);
  assert.deepEqual([take(24), take(25), take(25)], [true, true, false]);
  allowance.giveBack();
  assert.deepEqual([take(25), take(25)], [true, false]);
  assert.equal(allowance.active, 5);
});

test("none at all where the budget is nothing", () => {
  const allowance = new RetryAllowance();
  allowance.update({ kind: "concurrent", percent: 0, minimum: 0 }, 0, 0);
  assert.equal(allowance.take(0, { active: 1000, begun: 1000 }), false);
});

test("a share of the requests of an interval, and a minimum rate besides", () => {
  const allowance = new RetryAllowance();
  allowance.update({ kind: "rate", percent: 20, interval: 10_000, minimum: 1, minimumInterval: 1000 }, 0, 0);
  let begun = 100;
  const take = (now: number): boolean => {
    const taken = allowance.take(now, { active: 0, begun });
    if (taken) begun++;
    return taken;
  };
  for (let i = 0; i < 21; i++) assert.ok(take(100), `retry ${i}`);
  assert.ok(!take(100));
  assert.ok(!take(600), "half a token");
  assert.ok(take(1200));
  assert.ok(!take(1200));
  // a second interval without requests: the minimum rate alone
  for (let now = 2000; now < 30_000; now += 500) allowance.note(now, begun);
  assert.ok(take(30_000));
  assert.ok(!take(30_000));
});

test("requests before the budget was changed do not count", () => {
  const allowance = new RetryAllowance();
  allowance.update({ kind: "rate", percent: 50, interval: 10_000, minimum: 0, minimumInterval: 1000 }, 0, 1000);
  assert.ok(!allowance.take(0, { active: 0, begun: 1001 }));
  assert.ok(allowance.take(0, { active: 0, begun: 1002 }));
});

test("a budget that stays as it is does not begin anew", () => {
  const allowance = new RetryAllowance();
  const toBudget = () => ({ kind: "rate", percent: 0, interval: 1000, minimum: 1, minimumInterval: 60_000 }) as const;
  allowance.update(toBudget(), 0, 0);
  assert.ok(allowance.take(0, { active: 0, begun: 0 }));
  allowance.update(toBudget(), 10, 0);
  assert.ok(!allowance.take(10, { active: 0, begun: 0 }));
});

test("retries from before the budget was changed are no requests after it", () => {
  const allowance = new RetryAllowance();
  for (let i = 0; i < 10; i++) assert.ok(allowance.take(0, { active: 0, begun: 1000 }));
  allowance.update({ kind: "rate", percent: 50, interval: 1000, minimum: 0, minimumInterval: 1000 }, 0, 1000);
  let taken = 0;
  while (allowance.take(0, { active: 0, begun: 1010 + taken })) taken++;
  assert.equal(taken, 5);
});
