/** Clusters: reuse, budget, waiting, endpoints that come and go. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeRequest, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";

test("the first request opens a connection and has it before it is up", () => {
  const { acquire } = setUpCluster();
  const request = acquire();
  assert.equal(request.connection?.endpoint.label, "10.0.0.1:80");
  assert.equal(request.reused, false);
});

test("the connection used last is reused first", () => {
  const { acquire, outside } = setUpCluster();
  const [one, other] = [acquire(), acquire()];
  one.connection?.finish();
  other.connection?.finish();
  const next = acquire();
  assert.equal(next.connection, outside.opened[1]);
  assert.equal(next.reused, true);
  assert.equal(outside.reuses, 1);
});

test("a fresh request refuses connections that were open when one was lost, and takes those opened since", () => {
  const { acquire, outside } = setUpCluster();
  const [old, lost] = [acquire(), acquire()];
  old.connection?.finish();
  lost.connection?.fail();
  const replay = acquire(true);
  assert.equal(replay.reused, false);
  assert.equal(outside.opened.length, 3);
  replay.connection?.finish();
  assert.equal(acquire(true).connection, replay.connection);
});

test("an idle connection that closes is not handed out", () => {
  const { acquire, outside } = setUpCluster();
  acquire().connection?.finish();
  outside.opened[0]?.fail();
  assert.equal(acquire().reused, false);
});

test("a connection idle for too long is closed instead of reused", () => {
  const { acquire, outside } = setUpCluster({ pool: { idleTimeout: 1000, maxLifetime: 0 } });
  acquire().connection?.finish();
  outside.time = 999;
  acquire().connection?.finish();
  assert.equal(outside.opened.length, 1);
  outside.time = 999 + 1000;
  assert.equal(acquire().reused, false);
  assert.equal(outside.opened[0]?.isClosed, true);
});

test("a sweep closes what is idle for too long and nothing else", () => {
  const { acquire, outside, cluster } = setUpCluster({ pool: { idleTimeout: 1000, maxLifetime: 0 } });
  const [one, other, busy] = [acquire(), acquire(), acquire()];
  one.connection?.finish();
  outside.time = 600;
  other.connection?.finish();
  outside.time = 1000;
  cluster.sweep();
  assert.deepEqual(
    outside.opened.map((connection) => connection.isClosed),
    [true, false, false],
  );
  assert.equal(busy.connection?.isClosed, false);
});

test("a connection past its lifetime is closed when its exchange is over", () => {
  const { acquire, outside } = setUpCluster({ pool: { idleTimeout: 60_000, maxLifetime: 5000 } });
  const request = acquire();
  outside.time = 5000;
  request.connection?.finish();
  assert.equal(outside.opened[0]?.isClosed, true);
});

test("over the budget requests wait in line and get connections first come, first served", () => {
  const { acquire, outside } = setUpCluster({ limits: { connections: 1, pending: 10 } });
  const first = acquire();
  const [second, third] = [acquire(), acquire()];
  assert.equal(outside.pending, 2);
  assert.equal(second.answers, 0);
  first.connection?.finish();
  assert.equal(second.reused, true);
  assert.equal(third.answers, 0);
  second.connection?.finish();
  assert.equal(third.reused, true);
  assert.equal(outside.pending, 0);
});

test("a connection that closes makes room for one who waits", () => {
  const { acquire } = setUpCluster({ limits: { connections: 1, pending: 10 } });
  const first = acquire();
  const second = acquire();
  first.connection?.fail();
  assert.equal(second.reused, false);
});

test("a fresh request in line is not given a connection that may be as dead as the one that was lost", () => {
  const { acquire } = setUpCluster({ limits: { connections: 2, pending: 10 } });
  acquire().connection?.finish();
  const [old, lost] = [acquire(), acquire()];
  lost.connection?.fail();
  acquire();
  const replay = acquire(true);
  assert.equal(replay.answers, 0);
  old.connection?.finish();
  assert.equal(replay.reused, false);
  assert.equal(old.connection?.isClosed, true);
});

test("over the budget an idle connection of another endpoint is used, or makes room for a fresh one", () => {
  const two = [toEndpoint(1), toEndpoint(2)];
  const { acquire, outside } = setUpCluster(
    { balancer: { kind: "round-robin" }, limits: { connections: 2, pending: 0 } },
    two,
  );
  const busy = acquire();
  acquire().connection?.finish();
  const next = acquire();
  assert.notEqual(next.connection?.endpoint, busy.connection?.endpoint);
  assert.equal(next.reused, true);
  next.connection?.fail();
  acquire();
  busy.connection?.finish();
  const fresh = acquire(true);
  assert.equal(fresh.reused, false);
  assert.equal(busy.connection?.isClosed, true);
  assert.equal(outside.opened.filter((connection) => !connection.isClosed).length, 2);
});

test("with the line full requests are refused, and say whether there is a line at all", () => {
  const withLine = setUpCluster({ limits: { connections: 1, pending: 1 } });
  withLine.acquire();
  withLine.acquire();
  assert.equal(withLine.acquire().refusal, "request-overflow");
  const without = setUpCluster({ limits: { connections: 1, pending: 0 } });
  without.acquire();
  assert.equal(without.acquire().refusal, "connection-overflow");
});

test("a cancelled request leaves the line and is never answered", () => {
  const { acquire, cluster, outside } = setUpCluster({ limits: { connections: 1, pending: 10 } });
  const first = acquire();
  const [second, third] = [acquire(), acquire()];
  cluster.cancel(second);
  assert.equal(outside.pending, 1);
  first.connection?.finish();
  assert.equal(second.answers, 0);
  assert.equal(third.reused, true);
});

test("without endpoints requests are refused at once", () => {
  assert.equal(setUpCluster({}, []).acquire().refusal, "no-endpoints");
});

test("a connection that fails while it is opened is a connect failure", () => {
  const { acquire, outside, cluster } = setUpCluster();
  outside.failsAtOnce = true;
  assert.equal(acquire().refusal, "connect-failure");
  assert.equal(cluster.summary().connections, 0);
});

test("who could not reach an endpoint gets another one, and hears at once that there is none", () => {
  const two = setUpCluster({}, [toEndpoint(1), toEndpoint(2)]);
  const failed = two.acquire().connection?.endpoint;
  for (let i = 0; i < 8; i++) {
    const request = Object.assign(new FakeRequest(), { avoids: failed });
    two.cluster.acquire(request, false);
    assert.notEqual(request.connection?.endpoint, failed);
  }
  const one = setUpCluster();
  const request = Object.assign(new FakeRequest(), { avoids: one.acquire().connection?.endpoint });
  one.cluster.acquire(request, false);
  assert.equal(request.refusal, "connect-failure");
});

test("an endpoint that goes closes idle connections and lets requests finish", () => {
  const { acquire, cluster, config, outside } = setUpCluster();
  const idle = acquire();
  const busy = acquire();
  idle.connection?.finish();
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [toEndpoint(2)] }, undefined);
  assert.equal(outside.opened[0]?.isClosed, true);
  assert.equal(busy.connection?.isClosed, false);
  assert.deepEqual(
    cluster.summary().endpoints.map(({ label, state }) => [label, state]),
    [
      ["10.0.0.1:80", "removed"],
      ["10.0.0.2:80", "ready"],
    ],
  );
  busy.connection?.finish();
  assert.equal(busy.connection?.isClosed, true);
  assert.deepEqual([...outside.counts.byLabel.keys()], ["10.0.0.2:80"]);
});

test("an endpoint that stays keeps its connections, also if it was away in between", () => {
  const { acquire, cluster, config } = setUpCluster();
  const first = acquire();
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [toEndpoint(2)] }, undefined);
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [toEndpoint(1)] }, undefined);
  assert.equal(cluster.summary().endpoints.find(({ label }) => label === "10.0.0.1:80")?.active, 1);
  first.connection?.finish();
  assert.equal(acquire().reused, true);
});

test("draining endpoints serve only where no ready one is left", () => {
  const draining = toEndpoint(2, { state: "draining" });
  const { acquire, cluster, config } = setUpCluster({}, [toEndpoint(1), draining]);
  for (let i = 0; i < 20; i++) assert.equal(acquire().connection?.endpoint.label, "10.0.0.1:80");
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [draining] }, undefined);
  assert.equal(acquire().connection?.endpoint.label, "10.0.0.2:80");
});

test("those who wait are refused when the last endpoint goes", () => {
  const { acquire, cluster, config } = setUpCluster({ limits: { connections: 1, pending: 10 } });
  acquire();
  const waiting = acquire();
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [] }, undefined);
  assert.equal(waiting.refusal, "no-endpoints");
});

test("a larger budget serves those who wait", () => {
  const { acquire, cluster, config } = setUpCluster({ limits: { connections: 1, pending: 10 } });
  acquire();
  const waiting = acquire();
  cluster.update(
    { ...config, limits: { connections: 2, pending: 10 } },
    { kind: "endpoints", key: config.key, endpoints: [toEndpoint(1)] },
    undefined,
  );
  assert.equal(waiting.reused, false);
});

test("a retired cluster serves requests that come late, and keeps no connection", () => {
  const { acquire, cluster, outside } = setUpCluster();
  acquire().connection?.finish();
  const running = acquire();
  cluster.retire();
  const late = acquire();
  assert.equal(outside.counts.byLabel.size, 1);
  running.connection?.finish();
  late.connection?.finish();
  assert.ok(outside.opened.every((connection) => connection.isClosed));
  assert.equal(outside.counts.byLabel.size, 0);
});

test("a retired cluster without connections gives its places in the counts back at once", () => {
  const { acquire, cluster, outside } = setUpCluster();
  acquire().connection?.finish();
  cluster.retire();
  assert.equal(outside.counts.byLabel.size, 0);
  const late = acquire();
  assert.equal(cluster.summary().endpoints[0]?.active, 1);
  late.connection?.finish();
  assert.equal(cluster.summary().endpoints[0]?.active, 0);
});

test("a closed cluster refuses those who wait", () => {
  const { acquire, cluster } = setUpCluster({ limits: { connections: 1, pending: 10 } });
  acquire();
  const waiting = acquire();
  cluster.close();
  assert.equal(waiting.refusal, "draining");
});

test("a long line whose connections all fail at once is answered without growing the stack", () => {
  const { acquire, outside } = setUpCluster({ limits: { connections: 1, pending: 50_000 } });
  const first = acquire();
  const waiting = Array.from({ length: 50_000 }, () => acquire());
  outside.failsAtOnce = true;
  first.connection?.fail();
  assert.ok(waiting.every((request) => request.refusal === "connect-failure"));
});
