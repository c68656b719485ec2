import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettledMemory } from "./settled-memory.ts";

/** Private memory by the second; the last figure holds on. Tells what was read in the end, and after how many seconds. */
async function settle(megabytes: readonly number[]): Promise<{ read: number; seconds: number }> {
  let seconds = 0;
  const reading = await readSettledMemory({
    read: () => ({ rss: 0, rssAnon: (megabytes[seconds] ?? megabytes.at(-1) ?? 0) * 1e6 }),
    waitSecond: () => {
      seconds++;
      return Promise.resolve();
    },
  });
  return { read: reading.rssAnon / 1e6, seconds };
}

test("memory that never changes is read after ten seconds", async () => {
  assert.deepEqual(await settle([20]), { read: 20, seconds: 10 });
});

test("a collection after nine seconds is waited for, and so is one after that", async () => {
  const busy = Array.from({ length: 9 }, () => 80);
  assert.deepEqual(await settle([...busy, 45]), { read: 45, seconds: 19 });
  assert.deepEqual(await settle([...busy, ...busy.map(() => 45), 39]), { read: 39, seconds: 28 });
});

test("small changes do not count, unless they add up", async () => {
  assert.deepEqual(await settle([20, 20.1, 20, 20.1, 20]), { read: 20, seconds: 10 });
  const { seconds } = await settle(Array.from({ length: 8 }, (_, index) => 20 + index * 0.15));
  assert.equal(seconds, 16);
});

test("memory that goes on changing is read after 45 seconds", async () => {
  const growing = Array.from({ length: 100 }, (_, index) => 20 + index);
  assert.deepEqual(await settle(growing), { read: 65, seconds: 45 });
});
