import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptBodies } from "./kept-bodies.ts";

test("each body has its limit, and all together have theirs", () => {
  const kept = new KeptBodies(20_000);
  assert.ok(kept.fits(16_384) && !kept.fits(16_385));
  assert.ok(kept.take(0, 16_384));
  assert.ok(!kept.take(16_384, 1), "of one");
  assert.ok(!kept.take(0, 4000), "of all");
  assert.equal(kept.bytes, 16_384);
  kept.free(16_384);
  assert.ok(kept.take(0, 4000));
});
