import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterCountTable } from "./cluster-counts.ts";
import { COUNTED } from "./contract.ts";

const SHAPE = { workers: 3, slots: 128 };
const { connections, pending, requests } = COUNTED;

function openTables(): [ClusterCountTable, ClusterCountTable, ClusterCountTable] {
  const first = new ClusterCountTable(SHAPE, 0);
  return [first, new ClusterCountTable(SHAPE, 1, first.buffer), new ClusterCountTable(SHAPE, 2, first.buffer)];
}

test("workers count together what is of one key, kind by kind", () => {
  const [one, other] = openTables();
  const here = one.claim("ns/web:80");
  const there = other.claim("ns/web:80");
  const elsewhere = other.claim("ns/api:80");
  here.add(connections, 1);
  there.add(connections, 2);
  there.add(pending, 1);
  there.add(pending, -1);
  assert.equal(here.total(connections), 3);
  assert.equal(here.mine(connections), 1);
  assert.equal(here.total(pending), 0);
  assert.equal(here.total(requests), 0);
  assert.equal(elsewhere.total(connections), 0);
});

test("a cluster and its successor in one worker count together, and each knows its own", () => {
  const [one] = openTables();
  const before = one.claim("ns/web:80");
  const after = one.claim("ns/web:80");
  before.add(connections, 2);
  after.add(connections, 1);
  assert.equal(after.total(connections), 3);
  assert.equal(after.mine(connections), 1);
});

test("what is released keeps its place until nothing is counted, and then counts for itself", () => {
  const [one, other] = openTables();
  const late = one.claim("ns/web:80");
  const there = other.claim("ns/web:80");
  late.add(requests, 1);
  late.release();
  assert.equal(there.total(requests), 1);
  late.add(requests, -1);
  late.add(requests, 1);
  assert.equal(there.total(requests), 0);
  assert.equal(late.total(requests), 1);
  late.add(requests, -1);
  late.release();
  there.release();
  // The place is free again: as many keys as there are slots find one, and nothing is counted there.
  let found = 0;
  for (let at = 0; at < SHAPE.slots; at++) {
    const count = one.claim(`ns/other-${at}:80`);
    count.add(requests, 1);
    const again = other.claim(`ns/other-${at}:80`);
    if (again.total(requests) === 1) found++;
  }
  assert.ok(found > SHAPE.slots / 2, `${found} of ${SHAPE.slots}`);
});

test("a full table lets a worker count for itself", () => {
  const [one, other] = openTables();
  const all = Array.from({ length: 300 }, (_, at) => one.claim(`ns/web-${at}:80`));
  const alone = all.findIndex((count, at) => {
    count.add(connections, 1);
    return other.claim(`ns/web-${at}:80`).total(connections) === 0;
  });
  assert.notEqual(alone, -1);
  assert.equal(all[alone]?.total(connections), 1);
  all[alone]?.add(connections, -1);
  assert.equal(all[alone]?.total(connections), 0);
});

test("what a dead worker counted, said and locked is forgotten, and nothing else", () => {
  const [one, other] = openTables();
  const here = one.claim("ns/web:80");
  const there = other.claim("ns/web:80");
  here.add(connections, 1);
  there.add(connections, 5);
  there.add(requests, 5);
  assert.equal(there.raise(connections), true);
  assert.equal(here.raise(connections), false);
  assert.equal(here.raise(requests), true);
  // Worker 1 died inside a claim: the lock word holds its number.
  new Int32Array(one.buffer)[0] = 2;
  one.clearWorker(1);
  assert.equal(here.total(connections), 1);
  assert.equal(here.total(requests), 0);
  assert.equal(here.isRaised(connections), false);
  assert.equal(here.isRaised(requests), true);
  here.lower(requests);
  assert.equal(here.isRaised(requests), false);
});

test("who takes a key that nobody has any more hears of no alarm of those before", () => {
  const [one, other] = openTables();
  const before = one.claim("ns/web:80");
  assert.equal(before.raise(requests), true);
  before.release();
  const after = other.claim("ns/web:80");
  assert.equal(after.isRaised(requests), false);
  assert.equal(other.claim("ns/web:80").raise(requests), true);
  other.claim("ns/web:80");
  assert.equal(after.isRaised(requests), true, "somebody has it");
});

test("only who raised an alarm lowers it", () => {
  const [one, other] = openTables();
  const here = one.claim("ns/web:80");
  const there = other.claim("ns/web:80");
  assert.equal(here.raise(pending), true);
  there.lower(pending);
  assert.equal(there.isRaised(pending), true);
});
