/** Clusters by seeded simulation: whatever happens in whatever order, the invariants hold and nobody is lost. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeRequest, seededRandom, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";

for (let seed = 1; seed <= 40; seed++) {
  test(`whatever happens, nobody is lost and no rule is broken (seed ${seed})`, () => simulate(seed, 1500));
}

function simulate(seed: number, steps: number): void {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const balancer = (["least-request", "round-robin", "random"] as const)[seed % 3] ?? "random";
  const limits = { connections: 1 + below(6), pending: below(8) };
  const pool = { idleTimeout: 1 + below(50), maxLifetime: below(2) * 200 };
  const { outside, cluster, config } = setUpCluster({ balancer, limits, pool }, [toEndpoint(1), toEndpoint(2)]);
  outside.draw = random;
  const requests: FakeRequest[] = [];
  const waiting: FakeRequest[] = [];
  for (let step = 0; step < steps; step++) {
    outside.time += below(5);
    outside.failsAtOnce = below(20) === 0;
    const served = waiting.filter((request) => request.answers > 0);
    act(below(10));
    const open = outside.opened.filter((connection) => !connection.isClosed);
    const busy = open.filter((connection) => connection.users.size > 0);
    const summary = cluster.summary();
    assert.equal(summary.connections, open.length, "connections are counted");
    assert.ok(open.length <= limits.connections, "the budget holds");
    assert.equal(
      summary.endpoints.reduce((sum, endpoint) => sum + endpoint.active, 0),
      busy.length,
      "requests are counted",
    );
    assert.ok(
      requests.every((request) => request.answers <= 1),
      "one answer each",
    );
    settle(served);
    assert.equal(summary.pending, waiting.length, "those who wait are counted");
    assert.equal(outside.pending, waiting.length, "and the metric agrees");
    if (waiting.length > 0) {
      assert.equal(open.length, limits.connections, "nobody waits while there is room");
      assert.equal(busy.length, open.length, "nobody waits beside an idle connection");
    }
  }
  for (let rounds = 0; waiting.length > 0 && rounds < 1000; rounds++) {
    outside.opened.find((connection) => connection.users.size > 0)?.finish();
    settle([]);
  }
  assert.equal(waiting.length, 0, "nobody waits for ever");

  function act(kind: number): void {
    const busy = outside.opened.filter((connection) => connection.users.size > 0);
    const idle = outside.opened.filter((connection) => !connection.isClosed && connection.users.size === 0);
    if (kind < 4) {
      const request = new FakeRequest();
      requests.push(request);
      waiting.push(request);
      cluster.acquire(request, below(5) === 0);
    } else if (kind < 7) busy[below(busy.length)]?.finish();
    else if (kind === 7) (below(2) === 0 ? busy : idle)[0]?.fail();
    else if (kind === 8) {
      const [request] = waiting.splice(below(waiting.length), 1);
      if (request !== undefined) cluster.cancel(request);
    } else if (below(2) === 0) cluster.sweep();
    else {
      const endpoints = [1, 2, 3]
        .filter(() => below(4) > 0)
        .map((n) => toEndpoint(n, { weight: 1 + below(3), state: below(3) === 0 ? "draining" : "ready" }));
      cluster.update(config, { kind: "endpoints", key: config.key, endpoints }, undefined);
    }
  }

  /** Takes those out that were answered, and checks that they were the first in line. */
  function settle(before: readonly FakeRequest[]): void {
    assert.equal(before.length, 0);
    const firstWaiting = waiting.findIndex((request) => request.answers === 0);
    if (firstWaiting !== -1) {
      const overtaking = waiting.slice(firstWaiting).filter((request) => request.connection !== undefined);
      assert.deepEqual(overtaking, [], "nobody overtakes");
    }
    for (let at = waiting.length - 1; at >= 0; at--) if ((waiting[at]?.answers ?? 0) > 0) waiting.splice(at, 1);
  }
}
