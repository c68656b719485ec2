/** Which endpoint a request goes to: not where it failed, and near where all say whom they are meant for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeRequest, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";
import type { UpstreamEndpoint } from "./contract.ts";
import { NOWHERE } from "./locality.ts";

class RetriedRequest extends FakeRequest {
  readonly tried: UpstreamEndpoint[] = [];
}

test("a retry goes to an endpoint it did not fail on, and to any once it failed on all", () => {
  for (const balancer of ["least-request", "round-robin", "random"] as const) {
    const { cluster } = setUpCluster({ balancer: { kind: balancer } }, [toEndpoint(1), toEndpoint(2), toEndpoint(3)]);
    const tried: UpstreamEndpoint[] = [];
    for (let i = 0; i < 6; i++) {
      const request = new RetriedRequest("plain");
      request.tried.push(...tried);
      cluster.acquire(request, false);
      const endpoint = request.connection?.endpoint;
      assert.ok(endpoint !== undefined);
      if (i < 3) assert.ok(!tried.includes(endpoint), `${balancer}: ${endpoint.label} again`);
      if (!tried.includes(endpoint)) tried.push(endpoint);
    }
    assert.equal(tried.length, 3);
  }
});

test("a cluster that moves prefers what is meant for its place, and goes back", () => {
  const { cluster } = setUpCluster({ balancer: { kind: "round-robin" } }, [
    { ...toEndpoint(1), forZones: ["z1"] },
    { ...toEndpoint(2), forZones: ["z2"] },
  ]);
  const reach = (): number => {
    const labels = new Set<string | undefined>();
    for (let i = 0; i < 4; i++) {
      const request = new FakeRequest("plain");
      cluster.acquire(request, true);
      labels.add(request.connection?.endpoint.label);
    }
    return labels.size;
  };
  assert.equal(reach(), 2);
  cluster.moveTo({ ...NOWHERE, zone: "z1" });
  assert.equal(reach(), 1);
  cluster.moveTo({ ...NOWHERE, zone: "z3" });
  assert.equal(reach(), 2);
});

test("retries of a cluster end with its budget, and places come free", () => {
  const { cluster } = setUpCluster({ retryBudget: { kind: "concurrent", percent: 50, minimum: 1 } });
  assert.ok(cluster.retries.begin());
  assert.ok(!cluster.retries.begin());
  for (let i = 0; i < 4; i++) cluster.acquire(new FakeRequest("plain"), false);
  assert.ok(cluster.retries.begin(), "half of four");
  assert.ok(!cluster.retries.begin());
  cluster.retries.end();
  assert.ok(cluster.retries.begin());
});
