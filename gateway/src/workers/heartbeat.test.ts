import assert from "node:assert/strict";
import { test } from "node:test";
import { Heartbeat, RestartDelay } from "./heartbeat.ts";

test("a worker that beats between looks is alive however slowly it beats", () => {
  const heartbeat = new Heartbeat(3);
  const looks = [1, 1, 2, 2, 2, 3, 3, 3].map((beats) => heartbeat.look(beats));
  assert.deepEqual(new Set(looks), new Set(["alive"]));
});

test("so many looks in a row without a beat mean silence, and a beat ends it", () => {
  const heartbeat = new Heartbeat(2);
  assert.deepEqual(
    [5, 5, 5, 5, 6].map((beats) => heartbeat.look(beats)),
    ["alive", "alive", "silent", "silent", "alive"],
  );
});

test("a worker is restarted at once the first time and ever later while it keeps dying", () => {
  const delay = new RestartDelay();
  const delays = Array.from({ length: 10 }, () => delay.next(100));
  assert.deepEqual(delays.slice(0, 4), [0, 500, 1_000, 2_000]);
  assert.deepEqual(delays.slice(-2), [30_000, 30_000]);
});

test("a worker that had lived long is restarted at once again", () => {
  const delay = new RestartDelay();
  delay.next(1);
  delay.next(1);
  assert.equal(delay.next(60_000), 0);
});
