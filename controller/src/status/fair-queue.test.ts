import assert from "node:assert/strict";
import { test } from "node:test";
import { FairQueue, type Waiting } from "./fair-queue.ts";

function toItem(namespace: string): Waiting {
  return { ref: { namespace } };
}

test("namespaces are served in turn, and a namespace in the order in which its items came", () => {
  const queue = new FairQueue<Waiting>();
  const [a, aa, aaa, b, bb, c] = ["a", "a", "a", "b", "b", "c"].map(toItem) as [
    Waiting,
    Waiting,
    Waiting,
    Waiting,
    Waiting,
    Waiting,
  ];
  for (const item of [a, aa, aaa, b, bb, c]) queue.add(item);
  assert.equal(queue.size, 6);
  const order = [a, b, c, aa, bb, aaa];
  for (const item of order) assert.equal(queue.take(), item);
  assert.equal(queue.take(), undefined);
  assert.equal(queue.size, 0);
});

test("an item waits once, and one that was taken out is not served", () => {
  const queue = new FairQueue<Waiting>();
  const [a, aa, b] = ["a", "a", "b"].map(toItem) as [Waiting, Waiting, Waiting];
  for (const item of [a, a, aa, b, a]) queue.add(item);
  assert.equal(queue.size, 3);
  queue.delete(b);
  queue.delete(b);
  queue.delete(a);
  assert.equal(queue.size, 1);
  assert.equal(queue.take(), aa);
  assert.equal(queue.take(), undefined);
});

test("who comes after ten thousand of another namespace is served next but one", () => {
  const queue = new FairQueue<Waiting>();
  for (let index = 0; index < 10_000; index++) queue.add(toItem("a"));
  queue.take();
  const b = toItem("b");
  queue.add(b);
  assert.ok([queue.take(), queue.take()].includes(b));
  assert.equal(queue.size, 9998);
});
