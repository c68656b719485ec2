import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { ActiveTable } from "./active-counts.ts";
import { NO_SLOT } from "./contract.ts";
import { WORD } from "./health-words.ts";

const SHAPE = { workers: 3, slots: 128 };

function openTables(): [ActiveTable, ActiveTable, ActiveTable] {
  const first = new ActiveTable(SHAPE, 0);
  return [first, new ActiveTable(SHAPE, 1, first.buffer), new ActiveTable(SHAPE, 2, first.buffer)];
}

test("workers find one slot for one endpoint and see the requests of all", () => {
  const [one, other] = openTables();
  const slot = one.claim("default/web:80", "10.0.0.1:9000");
  assert.equal(other.claim("default/web:80", "10.0.0.1:9000"), slot);
  one.add(slot, 1);
  other.add(slot, 1);
  other.add(slot, 1);
  other.add(slot, -1);
  assert.equal(one.total(slot), 2);
  assert.notEqual(one.claim("default/web:80", "10.0.0.1:9001"), slot);
  assert.notEqual(one.claim("default/other:80", "10.0.0.1:9000"), slot);
});

test("a slot is free again when nobody refers to it and nothing is in flight on it", () => {
  const [one, other] = openTables();
  const slots = Array.from({ length: 64 }, (_, at) => one.claim("c", String(at)));
  const kept = slots[0] ?? NO_SLOT;
  one.add(kept, 1);
  for (const slot of slots) one.release(slot);
  for (let at = 0; at < 1000; at++) {
    const slot = other.claim("d", String(at));
    assert.notEqual(slot, kept, "a request is still running there");
    assert.notEqual(slot, NO_SLOT);
    assert.equal(other.total(slot), 0);
    other.release(slot);
  }
  one.add(kept, -1);
});

test("a full table gives no slot, and no slot counts nothing", () => {
  const [one] = openTables();
  let refused = 0;
  for (let at = 0; at < 200; at++) if (one.claim("c", String(at)) === NO_SLOT) refused++;
  assert.ok(refused >= 72, `${refused} of 200 found no slot among 128`);
  one.add(NO_SLOT, 1);
  one.release(NO_SLOT);
  assert.equal(one.total(NO_SLOT), 0);
});

test("what a dead worker had in flight, referred to and locked is forgotten", () => {
  const [one, other] = openTables();
  const slot = one.claim("c", "a");
  other.claim("c", "a");
  one.add(slot, 1);
  other.add(slot, 1);
  // Worker 1 died inside a claim: the lock word holds its number.
  new Int32Array(one.buffer)[0] = 2;
  one.health.words(slot).set(WORD.ejected, 1);
  one.clearWorker(1);
  assert.equal(one.total(slot), 1);
  assert.equal(one.countHealth(WORD.ejected, 1), 1, "the other one still refers to it");
  one.add(slot, -1);
  one.release(slot);
  assert.equal(one.countHealth(WORD.ejected, 1), 0, "nobody does");
  const again = new Set(Array.from({ length: 64 }, (_, at) => one.claim("d", String(at))));
  assert.equal(again.has(NO_SLOT), false);
});

test("of two that died together one is not waited for to clear the other: it may be known of later", () => {
  const [one, other] = openTables();
  const supervisor = new ActiveTable(SHAPE, SHAPE.workers, one.buffer);
  const slot = other.claim("c", "a");
  other.add(slot, 1);
  one.health.words(slot).swap(WORD.checker, 0, 2);
  // Worker 2 died inside a claim, too, and nobody has heard of that.
  new Int32Array(one.buffer)[0] = 3;
  const { changes } = one.health;
  assert.equal(supervisor.clearWorker(1), false);
  assert.equal(one.total(slot), 1);
  assert.equal(one.health.changes, changes);
  assert.equal(supervisor.clearWorker(2), true);
  assert.equal(supervisor.clearWorker(1), true);
  assert.equal(one.total(slot), 0);
  assert.equal(one.health.words(slot).get(WORD.checker), 0, "others may check it");
});

test("workers that claim slots for different endpoints at the same moment do not get the same one", async () => {
  const shape = { workers: 2, slots: 8 };
  const buffer = new ActiveTable(shape, 0).buffer;
  const barrier = new SharedArrayBuffer(4);
  const code = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.module).then(({ ActiveTable }) => {
      const table = new ActiveTable(workerData.shape, workerData.worker, workerData.buffer);
      const arrived = new Int32Array(workerData.barrier);
      let rounds = 0;
      const meet = () => {
        Atomics.add(arrived, 0, 1);
        Atomics.notify(arrived, 0);
        rounds += 2;
        for (let turn = 0; turn < 10_000; turn++) if (Atomics.load(arrived, 0) >= rounds) return;
        // the other one has no processor: it may need this one
        for (let seen; (seen = Atomics.load(arrived, 0)) < rounds; ) Atomics.wait(arrived, 0, seen, 1);
      };
      let lost = 0;
      for (let round = 0; round < 500; round++) {
        const key = workerData.worker + "/" + round;
        meet();
        const slot = table.claim("c", key);
        meet();
        if (table.claim("c", key) !== slot) lost++;
        meet();
        table.release(slot);
        table.release(slot);
      }
      parentPort.postMessage(lost);
    });`;
  const module = new URL("./active-counts.ts", import.meta.url).href;
  const lost = await Promise.all(
    [0, 1].map(async (worker) => {
      const thread = new Worker(code, { eval: true, workerData: { module, shape, worker, buffer, barrier } });
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      thread.once("message", resolve);
      thread.once("error", reject);
      const count = await promise;
      await thread.terminate();
      return count;
    }),
  );
  assert.deepEqual(lost, [0, 0]);
});
