import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { type MetricsServer, openMetricsServer } from "./metrics-server.ts";
import { openMetrics } from "./metrics.ts";

let server: MetricsServer | undefined;

afterEach(async () => server?.close());

async function open(source: { readonly unhealthy?: string; readonly unready?: string }): Promise<string> {
  const metrics = await openMetrics({
    version: "1.2.3",
    groups: () => ["default/web"],
    groupState: () => ({ connected: 3, current: 1, refusals: ["no"] }),
    isLeader: () => true,
    pendingStatuses: () => 7,
    unread: () => new Map([["Gateway", { undecodable: 2, unknownFields: 5 }]]),
    requests: { requests: new Map([["PATCH 409", 4]]), watches: new Map([["gateways", 6]]) },
  });
  metrics.statuses.written("HTTPRoute", 30);
  server = await openMetricsServer(
    { host: "127.0.0.1", port: 0 },
    { metrics, whyUnhealthy: () => source.unhealthy, whyUnready: () => source.unready },
  );
  return `http://127.0.0.1:${server.port}`;
}

test("health and readiness say why not", async () => {
  const url = await open({ unready: "not all read yet" });
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  const ready = await fetch(`${url}/readyz`);
  assert.equal(ready.status, 503);
  assert.equal(await ready.text(), "not all read yet\n");
});

test("a hung loop is unhealthy", async () => {
  const url = await open({ unhealthy: "hangs" });
  assert.equal((await fetch(`${url}/healthz`)).status, 503);
});

test("metrics tell of proxies, statuses, the leader and the API server", async () => {
  const text = await (await fetch(`${await open({})}/metrics`)).text();
  for (const line of [
    'sallyport_controller_proxies{group="default/web"} 3',
    'sallyport_controller_proxies_behind{group="default/web"} 2',
    'sallyport_controller_refusals{group="default/web"} 1',
    'sallyport_controller_objects_undecodable{kind="Gateway"} 2',
    'sallyport_controller_api_requests_total{method="PATCH",code="409"} 4',
    'sallyport_controller_watches_total{resource="gateways"} 6',
    'sallyport_controller_status_writes_total{kind="HTTPRoute"} 1',
    'sallyport_controller_status_write_seconds_bucket{le="0.05"} 1',
    "sallyport_controller_status_pending 7",
    "sallyport_controller_leader 1",
  ])
    assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
});

test("other paths and methods are refused", async () => {
  const url = await open({});
  assert.equal((await fetch(`${url}/`)).status, 404);
  assert.equal((await fetch(`${url}/metrics`, { method: "POST" })).status, 405);
});
