/** Connections that carry many requests, and those whose protocol the handshake chooses. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Cluster } from "@sallyport/model/cluster";
import { type ClusterSetUp, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";
import { TLS } from "../../test/cluster/tls.ts";

/** A cluster of HTTP/2 whose connections are believed to carry 100. */
function setUpHttp2(changes: Partial<Cluster> = {}): ClusterSetUp {
  const set = setUpCluster({ protocol: "http2", ...changes });
  set.outside.shape = (connection) => {
    connection.capacity = 100;
    connection.upgradable = false;
  };
  return set;
}

/** A cluster whose endpoint chooses the protocol. */
function setUpAuto(changes: Partial<Cluster> = {}): ClusterSetUp {
  const set = setUpCluster({ protocol: "auto", ...changes });
  const endpoints = { kind: "endpoints" as const, key: set.config.key, endpoints: [toEndpoint(1)] };
  set.cluster.update(set.config, endpoints, TLS);
  set.outside.shape = (connection) => {
    connection.settled = connection.options.upgrades;
    connection.upgradable = connection.settled;
  };
  return set;
}

test("a cold burst of HTTP/2 shares one connection, and the rest another", () => {
  const { acquire, outside } = setUpHttp2();
  const requests = Array.from({ length: 150 }, () => acquire());
  assert.equal(outside.opened.length, 2);
  assert.ok(requests.every(({ connection, reused }) => connection !== undefined && reused === false));
  assert.equal(outside.opened[0]?.users.size, 100);
  assert.equal(outside.reuses, 148);
});

test("the warmest connection is filled first, and what is not needed ages", () => {
  const { acquire, outside, cluster } = setUpHttp2({ pool: { idleTimeout: 1000, maxLifetime: 0 } });
  for (let i = 0; i < 101; i++) acquire();
  const [one, other] = outside.opened;
  other?.finish();
  for (let i = 0; i < 60; i++) one?.finish();
  outside.time = 999;
  assert.equal(acquire().connection, one);
  outside.time = 1000;
  cluster.sweep();
  assert.deepEqual([one?.isClosed, other?.isClosed], [false, true]);
});

test("less capacity than was believed is coped with, even none, and more is used at once", () => {
  const { acquire, outside } = setUpHttp2({ limits: { connections: 1, pending: 10 } });
  const [one, other] = [acquire(), acquire()];
  const [connection] = outside.opened;
  connection?.connect(0);
  const waiting = [acquire(), acquire()];
  one.connection?.finish();
  other.connection?.finish();
  assert.deepEqual(
    waiting.map(({ answers }) => answers),
    [0, 0],
  );
  connection?.allow(1);
  assert.deepEqual(
    waiting.map(({ answers }) => answers),
    [1, 0],
  );
  connection?.allow(2);
  assert.deepEqual(
    waiting.map(({ reused }) => reused),
    [true, true],
  );
});

test("a connection that is going away gets nothing new, and leaves its room to another", () => {
  const { acquire, outside, cluster } = setUpHttp2({ limits: { connections: 1, pending: 0 } });
  acquire();
  acquire();
  const [old] = outside.opened;
  old?.connect(100);
  old?.drain();
  assert.equal(acquire().connection, outside.opened[1]);
  assert.deepEqual(cluster.summary().endpoints[0], {
    label: "10.0.0.1:80",
    weight: 1,
    health: "fit",
    state: "ready",
    active: 3,
    connections: 2,
    idle: 0,
    draining: 1,
    streams: 3,
  });
  outside.opened[1]?.connect(100);
  outside.opened[1]?.drain();
  assert.equal(acquire().refusal, "connection-overflow", "but there are not more than as many again");
  old?.finish();
  old?.finish();
  assert.equal(old?.isClosed, true);
  assert.equal(acquire().connection, outside.opened[2]);
});

test("many tries lost with one connection share the next, and none goes to one that was open", () => {
  const { acquire, outside } = setUpHttp2();
  for (let i = 0; i < 101; i++) acquire();
  const [lost, open] = outside.opened;
  lost?.connect(100);
  open?.connect(100);
  lost?.fail();
  const replays = Array.from({ length: 100 }, () => acquire(true));
  assert.equal(outside.opened.length, 3);
  assert.ok(replays.every(({ connection }) => connection === outside.opened[2]));
  assert.equal(acquire().connection, open);
});

test("one that is too old lets its requests finish, without new ones", () => {
  const { acquire, outside } = setUpHttp2({ pool: { idleTimeout: 60_000, maxLifetime: 5000 } });
  acquire();
  acquire();
  outside.time = 5000;
  assert.equal(acquire().connection, outside.opened[1]);
  outside.opened[0]?.finish();
  assert.equal(outside.opened[0]?.isClosed, false);
  outside.opened[0]?.finish();
  assert.equal(outside.opened[0]?.isClosed, true);
});

test("with its endpoint gone, a connection closes with the last request on it", () => {
  const { acquire, outside, cluster, config } = setUpHttp2();
  acquire();
  acquire();
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [toEndpoint(2)] }, undefined);
  assert.equal(acquire().connection?.endpoint.label, "10.0.0.2:80");
  outside.opened[0]?.finish();
  outside.opened[0]?.finish();
  assert.equal(outside.opened[0]?.isClosed, true);
  assert.deepEqual([...outside.counts.byLabel.keys()], ["10.0.0.2:80"]);
});

test("an upgrade over HTTP/2 waits for what the endpoint says about it", () => {
  for (const upgradable of [true, false]) {
    const { acquire, outside, cluster } = setUpHttp2();
    const request = acquire(false, "upgrades");
    const [connection] = outside.opened;
    assert.equal(request.answers, 0);
    assert.ok(connection !== undefined);
    connection.upgradable = upgradable;
    connection.connect(100);
    assert.equal(request.refusal, upgradable ? undefined : "upgrade-refused");
    assert.equal(acquire(false, "upgrades").refusal, request.refusal);
    assert.equal(cluster.summary().endpoints[0]?.streams, upgradable ? 2 : 0);
  }
});

test("requests wait until the handshake has chosen a protocol, and go out together over HTTP/2", () => {
  const { acquire, outside } = setUpAuto();
  const requests = Array.from({ length: 50 }, () => acquire());
  assert.equal(outside.opened.length, 1);
  assert.ok(requests.every(({ answers }) => answers === 0));
  assert.equal(outside.opened[0]?.endpoint.active(), 50, "they count for the balancer");
  assert.equal(outside.pending, 50, "and as requests that wait for a connection");
  outside.opened[0]?.connect(100);
  assert.equal(outside.pending, 0);
  assert.ok(requests.every(({ connection }) => connection === outside.opened[0]));
});

test("where the handshake chose HTTP/1.1, the others get connections of their own, and the next burst at once", () => {
  const { acquire, outside } = setUpAuto();
  const requests = [acquire(), acquire(), acquire()];
  outside.opened[0]?.connect(1);
  assert.deepEqual(
    requests.map(({ answers }) => answers),
    [1, 0, 0],
  );
  assert.equal(outside.opened.length, 3);
  for (const connection of outside.opened) connection.connect(1);
  assert.deepEqual(
    requests.map(({ connection }) => connection),
    outside.opened,
  );
  for (const connection of [...outside.opened]) connection.fail();
  for (let i = 0; i < 3; i++) acquire();
  assert.equal(outside.opened.length, 6);
});

test("those who wait for a connection that never comes up are told why, and which", () => {
  const { acquire, outside, cluster } = setUpAuto();
  const requests = [acquire(), acquire()];
  const left = acquire();
  cluster.cancel(left);
  const [connection] = outside.opened;
  assert.ok(connection !== undefined);
  connection.failureDetail = "the certificate has expired";
  connection.fail("upstream-tls-failure");
  for (const { refusal, failed } of requests) {
    assert.equal(refusal, "upstream-tls-failure");
    assert.equal(failed?.failureDetail, "the certificate has expired");
  }
  assert.equal(left.answers, 0);
  assert.equal(cluster.summary().connections, 0);
  assert.equal(outside.counts.total(0), 0);
});

test("upgrades have connections of HTTP/1.1 where the endpoint would choose HTTP/2, apart from all others", () => {
  const { acquire, outside } = setUpAuto({ limits: { connections: 2, pending: 10 } });
  acquire();
  outside.opened[0]?.connect(100);
  const upgrade = acquire(false, "upgrades");
  assert.equal(upgrade.connection, outside.opened[1]);
  const waiting = acquire(false, "upgrades");
  outside.opened[0]?.allow(1);
  const plain = acquire();
  outside.opened[1]?.finish();
  assert.equal(waiting.connection, outside.opened[1]);
  outside.opened[0]?.finish();
  assert.equal(plain.connection, outside.opened[0]);
});

test("a closed cluster refuses those who wait for a handshake", () => {
  const { acquire, cluster, outside } = setUpAuto();
  const waiting = acquire();
  cluster.close();
  assert.equal(waiting.refusal, "draining");
  assert.equal(outside.opened[0]?.isClosed, true);
});
