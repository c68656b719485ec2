import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { test } from "node:test";
import { runInSlices } from "./slices.ts";

/** Burns about this many milliseconds in each of so many steps. */
function* work(steps: number, milliseconds: number): Generator<void, string, void> {
  for (let step = 0; step < steps; step++) {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    yield;
  }
  return "done";
}

test("a long computation lets the event loop turn between its slices", async () => {
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  assert.equal(await runInSlices(work(20, 1), 2), "done");
  running = false;
  assert.ok(turns >= 6, `the loop turned ${turns} times in 20 ms of work`);
});

test("a short computation ends in the turn it began in", async () => {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await runInSlices(work(3, 0));
  assert.equal(turned, false);
});

test("what a computation throws is a rejection", async () => {
  // oxlint-disable-next-line require-yield -- it fails before there is anything to yield for
  function* fail(): Generator<void, string, void> {
    throw new Error("a bug");
  }
  await assert.rejects(runInSlices(fail()), /a bug/);
});
