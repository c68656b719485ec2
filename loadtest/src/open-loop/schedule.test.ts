import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivalsBy, arrivalTime, sleepUntilNext } from "./schedule.ts";

test("arrivals are evenly spaced and the first is at once", () => {
  assert.equal(arrivalsBy(-1, 1000), 0);
  assert.equal(arrivalsBy(0, 1000), 1);
  assert.equal(arrivalsBy(0.99, 1000), 1);
  assert.equal(arrivalsBy(1, 1000), 2);
  assert.equal(arrivalTime(3000, 1000), 3000);
});

test("every arrival has come at its own time and not before, at rates that do not divide a second", () => {
  for (const rate of [7, 300, 3000, 33_333]) {
    for (let index = 0; index < 1000; index++) {
      const due = arrivalTime(index, rate);
      assert.equal(arrivalsBy(due, rate), index + 1, `rate ${rate}, arrival ${index}`);
      assert.equal(arrivalsBy(due - 0.001, rate), index, `rate ${rate}, before arrival ${index}`);
    }
  }
});

test("a pacer that slept too long releases what came meanwhile: arrivals wait for nobody", () => {
  assert.equal(arrivalsBy(100, 3000), 301);
});

test("the pacer sleeps until the next arrival, at high rates for the grid", () => {
  assert.equal(sleepUntilNext(0.25, 1, { rate: 1000, gridMs: 0.2 }), 0.75);
  assert.equal(sleepUntilNext(0.25, 1, { rate: 100_000, gridMs: 0.2 }), 0.2);
});
