import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerRate } from "./peer-rate.ts";

test("a peer may ask so often at once, then steadily, and costs nobody else", () => {
  const rate = new PeerRate({ burst: 3, interval: 500 });
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => rate.take("a", now)),
    [true, true, true, false],
  );
  assert.equal(rate.take("b", 0), true);
  assert.equal(rate.take("a", 499), false);
  assert.equal(rate.take("a", 500), true);
  assert.equal(rate.take("a", 500), false);
});

test("what costs more is paid for, and what is refused costs nothing", () => {
  const rate = new PeerRate({ burst: 100, interval: 1 });
  assert.equal(rate.take("a", 0, 60), true);
  assert.equal(rate.take("a", 0, 60), false);
  assert.equal(rate.take("a", 0, 40), true);
  assert.equal(rate.take("a", 20, 21), false);
  assert.equal(rate.take("a", 20, 20), true);
});
