/** A limit per endpoint that is lowered: what is beyond it ends as it becomes idle, and no request with it. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Limits } from "@sallyport/model/traffic";
import { type ClusterSetUp, type FakeRequest, setUpCluster, setUpCrew, toEndpoint } from "../../test/cluster/fakes.ts";

const LIMITS = { connections: 100, pending: 10 };
const ENDPOINTS = [toEndpoint(1), toEndpoint(2)];
const EVENLY = { limits: LIMITS, balancer: { kind: "round-robin" as const } };

/** Open connections by endpoint. */
function countOpen(...all: ClusterSetUp[]): number[] {
  const open = all.flatMap(({ outside }) => outside.opened.filter(({ isClosed }) => !isClosed));
  return ENDPOINTS.map(({ address }) => open.filter(({ endpoint }) => endpoint.label === `${address}:80`).length);
}

function limit({ cluster, config }: ClusterSetUp, limits: Partial<Limits>): void {
  const set = { kind: "endpoints" as const, key: config.key, endpoints: ENDPOINTS };
  cluster.update({ ...config, limits: { ...LIMITS, ...limits } }, set, undefined);
}

function finish(requests: readonly FakeRequest[]): void {
  for (const { connection } of requests) connection?.finish();
}

test("idle connections beyond a lowered limit of their endpoint close at once, others with what is on them", () => {
  const setUp = setUpCluster(EVENLY, ENDPOINTS);
  const requests = Array.from({ length: 16 }, () => setUp.acquire());
  assert.deepEqual(countOpen(setUp), [8, 8]);
  finish(requests.splice(0, 6));
  limit(setUp, { connectionsPerEndpoint: 3 });
  assert.deepEqual(countOpen(setUp), [5, 5], "nothing but requests is left of what is beyond the limit");
  finish(requests.splice(0, 2));
  assert.deepEqual(countOpen(setUp), [4, 4]);
  finish(requests);
  assert.deepEqual(countOpen(setUp), [3, 3]);
  const again = Array.from({ length: 6 }, () => setUp.acquire());
  assert.ok(
    again.every(({ connection }) => connection !== undefined),
    "those that are left serve",
  );
  assert.deepEqual(countOpen(setUp), [3, 3]);
});

test("calls on a connection of HTTP/2 beyond a lowered limit of its endpoint go on, and it takes no more", () => {
  const setUp = setUpCluster({ ...EVENLY, protocol: "http2" }, ENDPOINTS);
  setUp.outside.shape = (connection) => (connection.capacity = 2);
  const requests = Array.from({ length: 8 }, () => setUp.acquire());
  assert.deepEqual(countOpen(setUp), [2, 2]);
  finish(requests.splice(0, 1));
  limit(setUp, { connectionsPerEndpoint: 1 });
  assert.deepEqual(countOpen(setUp), [2, 2]);
  const before = setUp.outside.opened.length;
  finish(requests);
  assert.deepEqual(countOpen(setUp), [1, 1]);
  assert.equal(setUp.outside.opened.length, before, "none was opened meanwhile");
});

test("workers bring an endpoint to its lowered limit together, but keep one connection each", () => {
  const crew = setUpCrew(4, EVENLY, ENDPOINTS);
  for (const { acquire } of crew) finish(Array.from({ length: 6 }, () => acquire()));
  assert.deepEqual(countOpen(...crew), [12, 12]);
  for (const one of crew) limit(one, { connectionsPerEndpoint: 5 });
  for (const { cluster } of crew) cluster.sweep();
  assert.deepEqual(countOpen(...crew), [5, 5]);
  for (const one of crew) limit(one, { connectionsPerEndpoint: 1 });
  for (let round = 0; round < 3; round++) for (const { cluster } of crew) cluster.sweep();
  const left = crew.map((one) => countOpen(one).reduce((sum, count) => sum + count));
  assert.deepEqual(left, [1, 1, 1, 1]);
});

test("a limit of endpoints that is met lets nothing end", () => {
  const setUp = setUpCluster(EVENLY, ENDPOINTS);
  finish(Array.from({ length: 6 }, () => setUp.acquire()));
  limit(setUp, { connectionsPerEndpoint: 3 });
  setUp.cluster.sweep();
  assert.deepEqual(countOpen(setUp), [3, 3]);
});
