/** Limits of clusters: what is refused, what waits, and what workers have together. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { type ClusterSetUp, FakeRequest, setUpCluster, setUpCrew, toEndpoint } from "../../test/cluster/fakes.ts";
import { TLS } from "../../test/cluster/tls.ts";
import { PooledCluster } from "./cluster.ts";

const LIMITS = { connections: 4, pending: 4 };

/** Says so of everything that was opened. */
function openCount({ outside }: ClusterSetUp): number {
  return outside.opened.filter(({ isClosed }) => !isClosed).length;
}

test("a request beyond the limit of requests is refused at once, and one may come for each that is over", () => {
  const { acquire, outside } = setUpCluster({ limits: { ...LIMITS, requests: 2 } });
  const [first] = [acquire(), acquire()];
  assert.equal(acquire().refusal, "request-overflow");
  first?.connection?.finish();
  assert.notEqual(acquire().connection, undefined);
  assert.equal(acquire().refusal, "request-overflow");
  assert.deepEqual(outside.overflows, { connections: 0, pending: 0, requests: 2, retries: 0 });
});

test("requests are limited over all streams of HTTP/2, also those that are lost with their connection", () => {
  const { acquire, outside } = setUpCluster({ protocol: "http2", limits: { ...LIMITS, requests: 3 } });
  outside.shape = (connection) => (connection.capacity = 10);
  for (let at = 0; at < 3; at++) acquire();
  assert.equal(acquire().refusal, "request-overflow");
  outside.opened[0]?.fail();
  for (let at = 0; at < 3; at++) assert.equal(acquire().refusal, undefined);
  assert.equal(acquire().refusal, "request-overflow");
});

test("a limit that comes, or goes, with a configuration counts what is under way", () => {
  const { acquire, cluster, config } = setUpCluster();
  const endpoints = { kind: "endpoints" as const, key: config.key, endpoints: [toEndpoint(1)] };
  const requests = [acquire(), acquire()];
  const limited = { ...config, limits: { ...config.limits, requests: 3, connectionsPerEndpoint: 4 } };
  cluster.update(limited, endpoints, undefined);
  requests.push(acquire());
  assert.equal(acquire().refusal, "request-overflow");
  cluster.update(config, endpoints, undefined);
  requests.push(acquire());
  for (const { connection } of requests.splice(0, 3)) connection?.finish();
  cluster.update(limited, endpoints, undefined);
  assert.equal(cluster.summary().limits.requests.now, 1);
  requests.push(acquire(), acquire());
  assert.equal(acquire().refusal, "request-overflow");
});

test("a limit that is lowered lets connections beyond it end with what is on them, and opens none meanwhile", () => {
  const limits = { connections: 10, pending: 10 };
  const setUp = setUpCluster({ limits });
  const { acquire, cluster, config } = setUp;
  const requests = Array.from({ length: 8 }, () => acquire());
  requests.splice(0, 2).forEach(({ connection }) => connection?.finish());
  const endpoints = { kind: "endpoints" as const, key: config.key, endpoints: [toEndpoint(1)] };
  cluster.update({ ...config, limits: { ...limits, connections: 2 } }, endpoints, undefined);
  assert.equal(openCount(setUp), 6, "those that carry nothing are closed at once");
  const waiting = acquire();
  assert.equal(waiting.answers, 0);
  for (const { connection } of requests.splice(0, 4)) connection?.finish();
  assert.equal(openCount(setUp), 2);
  for (const { connection } of requests) connection?.finish();
  assert.notEqual(waiting.connection, undefined);
  assert.equal(openCount(setUp), 2);
  cluster.update({ ...config, limits: { ...limits, connections: 5 } }, endpoints, undefined);
  for (let at = 0; at < 5; at++) acquire();
  assert.equal(openCount(setUp), 5);
});

test("an endpoint that never answers has its connections and no more: others are used, and waited for", () => {
  const limits = { connections: 10, pending: 10, connectionsPerEndpoint: 2 };
  // by round robin the endpoint that hangs is chosen as often as the other
  const changes = { limits, balancer: { kind: "round-robin" as const } };
  const { acquire, outside } = setUpCluster(changes, [toEndpoint(1), toEndpoint(2)]);
  const hung = "10.0.0.1:80";
  for (let at = 0; at < 40; at++) {
    const request = acquire();
    assert.notEqual(request.connection, undefined, `request ${at} has a connection`);
    if (request.connection?.endpoint.label !== hung) request.connection?.finish();
  }
  assert.equal(outside.opened.filter(({ endpoint }) => endpoint.label === hung).length, 2);
  const others = [acquire(), acquire(), acquire()];
  const waiting = others.find(({ answers }) => answers === 0);
  others.find(({ connection }) => connection !== undefined)?.connection?.finish();
  assert.equal(waiting?.connection?.endpoint.label, "10.0.0.2:80");
});

test("where the endpoint of choice has its connections, one is opened to another", () => {
  const limits = { connections: 10, pending: 10, connectionsPerEndpoint: 1 };
  const { acquire } = setUpCluster({ limits, balancer: { kind: "random" } }, [toEndpoint(1), toEndpoint(2)]);
  const labels = [acquire(), acquire()].map(({ connection }) => connection?.endpoint.label);
  assert.equal(new Set(labels).size, 2);
});

test("leases are counted as connections, and go where there is room", () => {
  const limits = { connections: 3, pending: 10, connectionsPerEndpoint: 1 };
  const { lease, outside } = setUpCluster({ limits }, [toEndpoint(1), toEndpoint(2)]);
  const leases = [lease(), lease()];
  assert.notEqual(leases[0]?.held?.endpoint, leases[1]?.held?.endpoint);
  assert.equal(lease().refusal, "connection-overflow");
  leases[0]?.held?.release();
  assert.equal(lease().held?.endpoint.label, leases[0]?.held?.endpoint.label);
  assert.equal(outside.overflows.connections, 1);
});

test("retries beyond their limit are not made, whatever the budget allows", () => {
  const retryBudget = { kind: "concurrent", percent: 100, minimum: 10 } as const;
  const { cluster, outside } = setUpCluster({ limits: { ...LIMITS, retries: 2 }, retryBudget });
  const { retries } = cluster;
  assert.deepEqual([retries.begin(), retries.begin(), retries.begin()], [true, true, false]);
  retries.end();
  assert.equal(retries.begin(), true);
  assert.equal(outside.overflows.retries, 1);
});

test("what the budget does not allow is not counted as a retry", () => {
  const retryBudget = { kind: "concurrent", percent: 0, minimum: 1 } as const;
  const { cluster } = setUpCluster({ limits: { ...LIMITS, retries: 2 }, retryBudget });
  assert.deepEqual([cluster.retries.begin(), cluster.retries.begin()], [true, false]);
  assert.equal(cluster.summary().limits.retries.now, 1);
});

test("it is said once that a limit is reached, and once that it is over", () => {
  const { acquire, outside, cluster } = setUpCluster({ limits: { ...LIMITS, requests: 1 } });
  const first = acquire();
  for (let second = 0; second < 8; second++) {
    acquire();
    outside.time += 1000;
    cluster.sweep();
  }
  assert.deepEqual(outside.limits, ["requests reached"]);
  assert.equal(outside.breakersOpen, 1);
  assert.equal(cluster.summary().limits.requests.isReached, true);
  first.connection?.finish();
  for (let second = 0; second < 5; second++) {
    outside.time += 1000;
    cluster.sweep();
  }
  assert.deepEqual(outside.limits, ["requests reached", "requests over"]);
  assert.equal(outside.breakersOpen, 0);
  assert.equal(cluster.summary().limits.requests.isReached, false);
  assert.equal(outside.overflows.requests, 8);
});

test("requests that wait for the handshake of somebody else's connection wait in the line's limit", () => {
  const { acquire, outside } = setUpCluster({ protocol: "auto", limits: { connections: 1, pending: 2 } });
  outside.shape = (connection) => (connection.settled = false);
  const requests = [acquire(), acquire(), acquire()];
  assert.deepEqual(
    requests.map(({ refusal }) => refusal),
    [undefined, undefined, "request-overflow"],
  );
  outside.opened[0]?.connect(1);
  assert.equal(requests[0]?.connection, outside.opened[0]);
  assert.equal(outside.pending, 1);
  requests[0]?.connection?.finish();
  assert.equal(requests[1]?.connection, outside.opened[0]);
});

test("a connection ends with the last of the requests it may carry", () => {
  const pool = { idleTimeout: 1000, maxLifetime: 0, maxRequests: 2 };
  const { acquire, outside, cluster } = setUpCluster({ limits: { connections: 1, pending: 4 }, pool });
  acquire().connection?.finish();
  const [last, next] = [acquire(), acquire()];
  assert.equal(outside.opened.length, 1);
  last.connection?.finish();
  assert.equal(outside.opened[0]?.isClosed, true);
  assert.equal(next.connection, outside.opened[1]);
  assert.equal(cluster.summary().connections, 1);
});

test("of HTTP/2 nothing new comes to a connection that has had its requests, and what is on it goes on", () => {
  const pool = { idleTimeout: 1000, maxLifetime: 0, maxRequests: 3 };
  const { acquire, outside } = setUpCluster({ protocol: "http2", limits: { connections: 1, pending: 4 }, pool });
  outside.shape = (connection) => (connection.capacity = 10);
  const [first, second, third, fourth] = [acquire(), acquire(), acquire(true), acquire()];
  assert.equal(first?.connection, outside.opened[0]);
  assert.equal(third?.connection, outside.opened[0]);
  assert.equal(fourth?.connection, outside.opened[1], "its room is a successor's");
  assert.equal(outside.opened[0]?.isClosed, false);
  for (const request of [first, second, third]) request?.connection?.finish();
  assert.equal(outside.opened[0]?.isClosed, true);
});

test("a cluster that is retired says of no limit that it is reached: nobody would say when that is over", () => {
  const { acquire, outside, cluster } = setUpCluster({ limits: { ...LIMITS, requests: 1 } });
  acquire();
  acquire();
  cluster.retire();
  assert.deepEqual(outside.limits, ["requests reached", "requests over"]);
  acquire();
  assert.deepEqual([outside.overflows.requests, outside.breakersOpen, outside.limits.length], [2, 0, 2]);
});

test("workers have the limits together, but each may have one connection", () => {
  const [one, other, third] = setUpCrew(3, { limits: { connections: 3, pending: 2 } });
  assert.ok(one !== undefined && other !== undefined && third !== undefined);
  const held = [one.acquire(), one.acquire(), one.acquire()];
  assert.notEqual(other.acquire().connection, undefined, "whatever the others have");
  assert.deepEqual([one.acquire().answers, other.acquire().answers], [0, 0]);
  assert.equal(third.acquire().answers, 1);
  assert.equal(third.acquire().refusal, "request-overflow", "two wait elsewhere");
  assert.equal(one.cluster.summary().limits.connections.now, 5);
  assert.equal(one.cluster.summary().limits.pending.now, 2);
  for (const { connection } of held) connection?.finish();
});

test("who waits looks again for room that other workers gave up, and nobody looks where nobody waits", () => {
  const [one, other] = setUpCrew(2, { limits: { connections: 2, pending: 4 } });
  assert.ok(one !== undefined && other !== undefined);
  const held = [one.acquire(), one.acquire()];
  other.acquire();
  assert.equal(other.outside.scheduled.size, 0);
  const waiting = other.acquire();
  assert.equal(other.outside.scheduled.size, 1);
  other.outside.pass(20);
  assert.equal(waiting.answers, 0);
  for (const { connection } of held) connection?.fail();
  other.outside.pass(20);
  assert.notEqual(waiting.connection, undefined);
  other.outside.pass(20);
  assert.equal(other.outside.scheduled.size, 0);
});

test("where there is one worker nothing is looked for: it knows itself what it gives up", () => {
  const { acquire, outside } = setUpCluster({ limits: { connections: 1, pending: 4 } });
  acquire();
  acquire();
  assert.equal(outside.scheduled.size, 0);
});

test("connections that nobody needs are closed where requests of other workers wait", () => {
  const [one, other] = setUpCrew(2, { limits: { connections: 4, pending: 4 } });
  assert.ok(one !== undefined && other !== undefined);
  for (const { connection } of [one.acquire(), one.acquire(), one.acquire(), one.acquire()]) connection?.finish();
  other.acquire();
  const waiting = other.acquire();
  one.cluster.sweep();
  assert.equal(openCount(one), 2, "there was one too many, and one that waited");
  other.outside.pass(20);
  assert.notEqual(waiting.connection, undefined);
});

test("a request that lets those who came before be served first is not one too many behind them", () => {
  const limits = { connections: 2, pending: 4, requests: 2 };
  const pool = { idleTimeout: 60_000, maxLifetime: 60_000 };
  const [one, other] = setUpCrew(2, { protocol: "http2", limits, pool });
  assert.ok(one !== undefined && other !== undefined);
  one.acquire();
  const lease = other.lease();
  const early = one.acquire();
  assert.equal(early.answers, 0);
  one.outside.shape = (connection) => (connection.capacity = 5);
  // room that this worker has not seen yet
  lease.held?.release();
  const late = one.acquire();
  assert.equal(early.connection, one.outside.opened[1]);
  assert.equal(late.refusal, "request-overflow");
  assert.equal(one.cluster.summary().limits.requests.now, 2);
});

test("the successor of a cluster counts what its predecessor still has", () => {
  const limits = { connections: 3, pending: 4, requests: 3, connectionsPerEndpoint: 3 };
  const before = setUpCluster({ limits });
  const old = [before.acquire(), before.acquire()];
  before.cluster.retire();
  const cluster = new PooledCluster(before.config, before.outside.options);
  const endpoints = { kind: "endpoints" as const, key: before.config.key, endpoints: [toEndpoint(1)] };
  cluster.update(before.config, endpoints, TLS);
  assert.equal(cluster.summary().limits.requests.now, 2);
  // requests of the runtime before may come late
  old.push(before.acquire());
  const refused = new FakeRequest();
  cluster.acquire(refused, false);
  assert.equal(refused.refusal, "request-overflow");
  for (const { connection } of old) connection?.finish();
  const { connections, requests } = cluster.summary().limits;
  assert.deepEqual([connections.now, requests.now], [0, 0]);
});

test("a dead worker has nothing any more", () => {
  const crew = setUpCrew(2, { limits: { connections: 2, pending: 4, requests: 2 } });
  const [one, other] = crew;
  assert.ok(one !== undefined && other !== undefined);
  one.acquire();
  one.acquire();
  assert.equal(other.acquire().refusal, "request-overflow");
  one.outside.limitCounts.clearWorker(0);
  assert.equal(other.acquire().refusal, undefined);
  assert.equal(other.acquire().refusal, undefined);
  assert.equal(other.acquire().refusal, "request-overflow");
});
