import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { BurstTimer } from "../../src/run/burst-timer.ts";

let ends = 0;
let now = 0;
let timer: BurstTimer;
let clock: TestContext["mock"]["timers"];

/** The clock is ours until the end of the test. */
function setUp(t: TestContext): void {
  clock = t.mock.timers;
  clock.enable({ apis: ["setTimeout"] });
  now = 0;
  t.mock.method(performance, "now", () => now);
  ends = 0;
  timer = new BurstTimer({ quiet: 20, longest: 100 }, () => {
    ends += 1;
  });
  t.after(() => timer.close());
}

function pass(millis: number): void {
  now += millis;
  clock.tick(millis);
}

test("a burst ends with silence, once", (t) => {
  setUp(t);
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

test("a burst that does not end counts all the same", (t) => {
  setUp(t);
  for (let count = 0; count < 12; count++) {
    timer.touch();
    pass(10);
  }
  assert.equal(ends, 1);
});

test("nothing ends that was closed", (t) => {
  setUp(t);
  timer.touch();
  timer.close();
  pass(1000);
  assert.equal(ends, 0);
});
