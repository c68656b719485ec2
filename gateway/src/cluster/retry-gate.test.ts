/** What a cluster counts against the budget of its retries. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { setUpCluster } from "../../test/cluster/fakes.ts";

test("a rate budget counts every request that was begun, retries not, whether or not it is still there", () => {
  const { acquire, cluster } = setUpCluster({
    retryBudget: { kind: "rate", percent: 10, interval: 10_000, minimum: 0, minimumInterval: 1000 },
  });
  assert.ok(!cluster.retries.begin(), "nothing was begun");
  for (let count = 0; count < 20; count++) acquire().connection?.finish();
  // a retry is a request of the cluster as well
  const retry = (): boolean => {
    const isGiven = cluster.retries.begin();
    if (isGiven) acquire().connection?.finish();
    return isGiven;
  };
  assert.deepEqual([retry(), retry(), retry()], [true, true, false], "a tenth of twenty");
});

test("what goes out again unseen makes no room for retries", () => {
  const { acquire, cluster } = setUpCluster({
    retryBudget: { kind: "rate", percent: 10, interval: 10_000, minimum: 0, minimumInterval: 1000 },
  });
  for (let count = 0; count < 19; count++) acquire().connection?.finish();
  for (let count = 0; count < 5; count++) {
    cluster.retries.repeat();
    acquire().connection?.finish();
  }
  assert.deepEqual([cluster.retries.begin(), cluster.retries.begin()], [true, false], "a tenth of nineteen");
});

test("a concurrent budget counts those who wait for a connection", () => {
  const { acquire, outside, cluster } = setUpCluster({
    limits: { connections: 1, pending: 100 },
    retryBudget: { kind: "concurrent", percent: 50, minimum: 1 },
  });
  for (let count = 0; count < 10; count++) acquire();
  assert.equal(outside.pending, 9);
  const given = Array.from({ length: 10 }, () => cluster.retries.begin());
  assert.equal(given.filter(Boolean).length, 5, "half of one on a connection and nine in line");
});
