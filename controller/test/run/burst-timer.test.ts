import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { BurstTimer } from "../../src/run/burst-timer.ts";

let ends = 0;
let now = 0;
let timer: BurstTimer;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  now = 0;
  mock.method(performance, "now", () => now);
  ends = 0;
  timer = new BurstTimer({ quiet: 20, longest: 100 }, () => {
    ends += 1;
  });
});

afterEach(() => {
  timer.close();
  mock.timers.reset();
  mock.restoreAll();
});

function pass(millis: number): void {
  now += millis;
  mock.timers.tick(millis);
}

test("a burst ends with silence, once", () => {
  timer.touch();
  pass(19);
  timer.touch();
  pass(19);
  assert.equal(ends, 0);
  pass(1);
  assert.equal(ends, 1);
  pass(1000);
  assert.equal(ends, 1);
});

test("a burst that does not end counts all the same", () => {
  for (let count = 0; count < 12; count++) {
    timer.touch();
    pass(10);
  }
  assert.equal(ends, 1);
});

test("nothing ends that was closed", () => {
  timer.touch();
  timer.close();
  pass(1000);
  assert.equal(ends, 0);
});
