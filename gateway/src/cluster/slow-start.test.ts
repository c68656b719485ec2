/** Slow start: the share of an endpoint that is new, or well again, over time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "@sallyport/model/cluster";
import { seeded } from "@sallyport/testkit/random";
import { type ClusterSetUp, FakeRequest, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";
import { toWarmth } from "./slow-start.ts";

const SLOW_START = { window: 10_000, aggression: 1, minimumPercent: 10 };
const ALL = [1, 2, 3, 4].map((n) => toEndpoint(n));

test("the share grows with time to the power of 1 / aggression, from the least on", () => {
  const grow = (aggression: number, elapsed: number): number => toWarmth(elapsed, { ...SLOW_START, aggression });
  assert.deepEqual(
    [-5, 0, 1000, 5000, 9999, 10_000, Infinity].map((elapsed) => grow(1, elapsed)),
    [0.1, 0.1, 0.1, 0.5, 0.9999, 1, 1],
  );
  assert.equal(grow(2, 2500), 0.5);
  assert.equal(grow(0.5, 5000), 0.25);
  assert.ok(toWarmth(0, { ...SLOW_START, minimumPercent: 0 }) > 0, "it must be able to show that it is well");
});

/** How many of 4000 requests at this moment go to the last of four endpoints, relative to a full share of them. */
function shareOfLast({ cluster, outside }: ClusterSetUp, time: number): number {
  outside.time = time;
  let taken = 0;
  for (let i = 0; i < 4000; i++) {
    const request = new FakeRequest("plain");
    cluster.acquire(request, false);
    if (request.connection?.endpoint.label === "10.0.0.4:80") taken++;
    request.connection?.finish();
  }
  return taken / 1000;
}

/** The share that this warmth makes of four endpoints, relative to a quarter. */
function expected(warmth: number): number {
  return (4 * warmth) / (3 + warmth);
}

function update({ cluster, config }: ClusterSetUp, endpoints: typeof ALL, changes: Partial<Cluster> = {}): void {
  cluster.update({ ...config, ...changes }, { kind: "endpoints", key: config.key, endpoints }, undefined);
}

for (const kind of ["least-request", "round-robin"] as const) {
  const balancer = { kind, slowStart: SLOW_START };

  test(`${kind}: one that comes to others has its share little by little`, () => {
    const setUp = setUpCluster({ balancer }, ALL.slice(0, 3));
    setUp.outside.draw = seeded(5);
    setUp.outside.time = 1000;
    update(setUp, ALL);
    for (const [time, warmth] of [
      [1000, 0.1],
      [3000, 0.2],
      [6000, 0.5],
      [9000, 0.8],
      [11_000, 1],
      [30_000, 1],
    ] as const) {
      // prettier-ignore
      const share = shareOfLast(setUp, time);
      assert.ok(Math.abs(share - expected(warmth)) < 0.1, `after ${time - 1000}: ${share}, not ${expected(warmth)}`);
      const { weight, warmWeight = weight } = setUp.cluster.summary().endpoints.at(-1)!;
      assert.ok(Math.abs(warmWeight - warmth) < 0.02);
    }
  });

  test(`${kind}: one that nobody asks anything becomes warm as well, for all to see`, () => {
    const setUp = setUpCluster({ balancer }, ALL.slice(0, 3));
    setUp.outside.time = 1000;
    update(setUp, ALL);
    assert.ok(Math.abs(setUp.cluster.summary().endpoints.at(-1)!.warmWeight! - 0.1) < 0.02);
    setUp.outside.time = 6000;
    assert.ok(Math.abs(setUp.cluster.summary().endpoints.at(-1)!.warmWeight! - 0.5) < 0.02);
    setUp.outside.time = 11_000;
    assert.equal(setUp.cluster.summary().endpoints.at(-1)!.warmWeight, undefined);
  });

  test(`${kind}: the first endpoints of a cluster have their shares at once`, () => {
    const setUp = setUpCluster({ balancer }, ALL);
    setUp.outside.draw = seeded(5);
    assert.ok(Math.abs(shareOfLast(setUp, 0) - 1) < 0.1);
  });

  test(`${kind}: one that went and comes back is new`, () => {
    const setUp = setUpCluster({ balancer }, ALL);
    setUp.outside.draw = seeded(5);
    const request = setUp.acquire();
    update(setUp, ALL.slice(0, 3));
    setUp.outside.time = 50_000;
    update(setUp, ALL);
    assert.ok(shareOfLast(setUp, 50_000) < 0.2);
    request.connection?.finish();
  });
}

test("without slow start a new endpoint has its share at once, and so has one whose slow start is taken away", () => {
  const setUp = setUpCluster({ balancer: { kind: "round-robin", slowStart: SLOW_START } }, ALL.slice(0, 3));
  setUp.outside.draw = seeded(5);
  setUp.outside.time = 1000;
  update(setUp, ALL);
  assert.ok(shareOfLast(setUp, 1000) < 0.2);
  update(setUp, ALL, { balancer: { kind: "round-robin" } });
  assert.equal(shareOfLast(setUp, 1000), 1);
  assert.equal(setUp.cluster.summary().endpoints.at(-1)?.warmWeight, undefined);
});
