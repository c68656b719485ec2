import assert from "node:assert/strict";
import { test } from "node:test";
import { toMemoryLimit } from "./defaults.ts";
import { MemoryGuard } from "./memory-guard.ts";

const OPTIONS = { limit: 1000, stopKeepAlive: 0.8, shed: 0.9 };

test("memory first ends keep-alive, then sheds, and goes back the same way only when it is clearly lower", () => {
  const guard = new MemoryGuard(OPTIONS);
  const readings = [799, 800, 760, 751, 900, 851, 849, 751, 749, 760, 1200, 700];
  assert.deepEqual(
    readings.map((reading) => guard.look(reading)),
    [
      "none",
      "stop-keep-alive",
      "stop-keep-alive",
      "stop-keep-alive",
      "shed",
      "shed",
      "stop-keep-alive",
      "stop-keep-alive",
      "none",
      "none",
      "shed",
      "none",
    ],
  );
});

test("a guard without limit never presses", () => {
  assert.equal(new MemoryGuard({ ...OPTIONS, limit: 0 }).look(1e15), "none");
});

test("the limit is the container's where it has one, else the machine's", () => {
  assert.equal(toMemoryLimit(512, 4096), 512);
  assert.equal(toMemoryLimit(0, 4096), 4096);
  assert.equal(toMemoryLimit(2 ** 63, 4096), 4096);
});
