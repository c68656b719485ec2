/** Leases: endpoints for those who make their connections themselves. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeLeaser, setUpCluster, toConfig, toEndpoint, FakeOutside } from "../../test/cluster/fakes.ts";
import { TLS } from "../../test/cluster/tls.ts";
import { PooledCluster } from "./cluster.ts";

const NAMES = { kind: "dns", names: [{ hostname: "web.example", port: 80 }] } as const;

test("a lease counts on its endpoint and against the limit until it is released, once", () => {
  const { lease, cluster, outside } = setUpCluster({ limits: { connections: 1, pending: 9 } });
  const { held } = lease();
  assert.equal(held?.endpoint.label, "10.0.0.1:80");
  assert.equal(held.endpoint.active(), 1);
  assert.equal(outside.counts.total(0), 1);
  assert.equal(cluster.summary().connections, 1);
  assert.equal(lease().refusal, "connection-overflow");
  held.release();
  held.release();
  assert.equal(outside.counts.total(0), 0);
  assert.equal(cluster.summary().connections, 0);
  assert.equal(lease().held?.endpoint.label, "10.0.0.1:80");
});

test("a lease that is released serves the request that waits for its place", () => {
  const { lease, acquire } = setUpCluster({ limits: { connections: 1, pending: 9 } });
  const { held } = lease();
  const waiting = acquire();
  assert.equal(waiting.answers, 0);
  held?.release();
  assert.equal(waiting.reused, false);
});

test("a lease takes the place of an idle connection", () => {
  const { lease, acquire, outside } = setUpCluster({ limits: { connections: 1, pending: 9 } });
  acquire().connection?.finish();
  assert.equal(lease().answers, 1);
  assert.equal(outside.opened[0]?.isClosed, true);
});

test("a lease avoids an endpoint where there is another, and has it where there is none", () => {
  for (const balancer of ["least-request", "round-robin", "random"] as const) {
    const { lease } = setUpCluster({ balancer: { kind: balancer } }, [toEndpoint(1), toEndpoint(2), toEndpoint(3)]);
    const { held } = lease();
    for (let i = 0; i < 10; i++) assert.notEqual(lease(held?.endpoint).held?.endpoint, held?.endpoint);
  }
  const { lease } = setUpCluster();
  const { held } = lease();
  assert.equal(lease(held?.endpoint).held?.endpoint, held?.endpoint);
});

test("a lease waits while names are being resolved, and can be given up", () => {
  const outside = new FakeOutside();
  const config = toConfig({
    discovery: { kind: "dns", names: [...NAMES.names] },
    limits: { connections: 1, pending: 3 },
  });
  const cluster = new PooledCluster(config, outside.options);
  const leasers = Array.from({ length: 4 }, () => new FakeLeaser());
  for (const leaser of leasers) cluster.lease(leaser);
  assert.deepEqual(
    leasers.map(({ refusal }) => refusal),
    [undefined, undefined, undefined, "request-overflow"],
  );
  assert.equal(outside.pending, 3);
  if (leasers[0] !== undefined) cluster.cancel(leasers[0]);
  cluster.setEndpoints([toEndpoint(1)], "no-endpoints");
  assert.deepEqual(
    leasers.map(({ held, refusal }) => held?.endpoint.label ?? refusal),
    [undefined, "10.0.0.1:80", "connection-overflow", "request-overflow"],
  );
  assert.equal(outside.pending, 0);
});

test("a lease is refused for the reason that requests are", () => {
  const { lease, cluster } = setUpCluster({}, []);
  assert.equal(lease().refusal, "no-endpoints");
  const outside = new FakeOutside();
  const named = new PooledCluster(toConfig({ discovery: { kind: "dns", names: [...NAMES.names] } }), outside.options);
  const waiting = new FakeLeaser();
  named.lease(waiting);
  named.retire();
  assert.equal(waiting.refusal, "dns-failure");
  cluster.close();
});

test("a retired cluster gives leases that come late, and keeps no place in the shared counts", () => {
  const { lease, cluster, outside } = setUpCluster();
  const early = lease();
  cluster.retire();
  const late = lease();
  assert.equal(outside.counts.byLabel.size, 1);
  early.held?.release();
  late.held?.release();
  assert.equal(outside.counts.byLabel.size, 0);
});

test("a removed endpoint is forgotten with its last lease", () => {
  const { lease, cluster, config } = setUpCluster();
  const { held } = lease();
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: [] }, undefined);
  assert.equal(cluster.summary().endpoints[0]?.state, "removed");
  held?.release();
  assert.deepEqual(cluster.summary().endpoints, []);
});

test("new TLS settings are for new connections and leases, open connections stay", () => {
  const { cluster, config, acquire, lease, outside } = setUpCluster({ proxyProtocol: "v2", connectTimeout: 77 });
  const endpoints = { kind: "endpoints" as const, key: config.key, endpoints: [toEndpoint(1)] };
  cluster.update(config, endpoints, TLS);
  acquire().connection?.finish();
  cluster.update(config, endpoints, { ...TLS, id: "two" });
  const reused = acquire();
  assert.equal(reused.reused, true);
  assert.equal(reused.connection?.tls?.id, "one");
  assert.equal(acquire().connection?.tls?.id, "two");
  const { held } = lease();
  assert.deepEqual([held?.tls?.id, held?.proxyProtocol, held?.connectTimeout], ["two", "v2", 77]);
  assert.equal(outside.opened.length, 2);
});
