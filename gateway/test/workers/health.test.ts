/** What workers know together of the health of endpoints: real threads, real backends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { test, type TestContext } from "node:test";
import type { Cluster } from "@sallyport/model/cluster";
import { eventually } from "@sallyport/testkit/eventually";
import { Rig } from "./rig.ts";

process.env["SALLYPORT_TEST_HOOKS"] = "1";

const WORKERS = 3;
const DIED = 'sallyport_worker_replacements_total{reason="died"}';
/** Workers start anew on a machine that does other things. */
const PATIENCE = { within: 60_000 };
const INTERVAL = 60;
/** Milliseconds for which an endpoint is ejected: long enough to be seen so on any machine. */
const EJECTED = 8_000;
const HEALTH_CHECK: Cluster["healthCheck"] = {
  probe: { kind: "http", method: "GET", path: "/healthz", statuses: [{ from: 200, to: 299 }] },
  interval: INTERVAL,
  unhealthyInterval: INTERVAL,
  timeout: 5_000,
  unhealthyThreshold: 2,
  healthyThreshold: 1,
};

/** A backend whose answers and health a test decides. */
class Backend {
  status = 200;
  health = 200;
  requests = 0;
  /** When checks came: milliseconds. */
  readonly checks: number[] = [];
  readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      if (request.url === "/healthz") this.checks.push(performance.now());
      else this.requests++;
      response.statusCode = request.url === "/healthz" ? this.health : this.status;
      response.end();
    });
  }

  static async open(t: TestContext): Promise<Backend> {
    const backend = new Backend();
    backend.server.listen(0, "127.0.0.1");
    await once(backend.server, "listening");
    t.after(() => {
      backend.server.closeAllConnections();
      backend.server.close();
    });
    return backend;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }
}

interface ShownEndpoint {
  readonly address: string;
  readonly health: string;
  readonly ejectedForMs: number | null;
}

async function showEndpoint(rig: Rig, { port }: Backend): Promise<ShownEndpoint | undefined> {
  const [cluster] = JSON.parse((await rig.admin("/clusters")).body) as { endpoints: ShownEndpoint[] }[];
  return cluster?.endpoints.find(({ address }) => address === `127.0.0.1:${port}`);
}

/** How long seven checks in a row took at most: one that was seen late makes the time after it short, and nothing else. */
function longestOfSeven(checks: readonly number[]): number {
  return Math.max(...checks.slice(7).map((at, index) => at - (checks[index] ?? at)));
}

/** Statuses of one request on each of many connections, so that each worker has some. */
async function askAll(rig: Rig): Promise<string> {
  const clients = await rig.openMany(16);
  const answers = await Promise.all(clients.map((client) => client.ask()));
  for (const client of clients) client.close();
  return [...new Set(answers.map(({ status }) => String(status)))].toSorted().join(" ");
}

/** Waits until a metric has this value. */
async function untilMetric(rig: Rig, name: string, expected: number, what: string): Promise<void> {
  const probe = async (): Promise<true> => {
    assert.equal((await rig.metrics()).value(name), expected, name);
    return true;
  };
  await eventually(probe, { ...PATIENCE, what });
}

test("each endpoint is checked by one of three workers, and by another one when that one is gone", async (t) => {
  const backend = await Backend.open(t);
  await using rig = await Rig.start({ workers: WORKERS });
  await rig.apply({ backends: [backend.port], cluster: { healthCheck: HEALTH_CHECK } });
  await eventually(() => backend.checks.length >= 16, { what: "16 checks" });
  // a tenth of the interval is jitter; three checkers would have needed two intervals for this
  assert.ok(longestOfSeven(backend.checks) >= 7 * 0.9 * INTERVAL - 5, backend.checks.join(" "));
  assert.equal((await showEndpoint(rig, backend))?.health, "fit");
  for (const worker of [0, 1, 2]) {
    const died = (await rig.metrics()).value(DIED) ?? 0;
    assert.equal((await rig.admin(`/workers/${worker}/terminate`, "POST")).status, 202);
    await untilMetric(rig, DIED, died + 1, `the end of worker ${worker}`);
    const before = backend.checks.length;
    const what = `checks after the end of worker ${worker}`;
    await eventually(() => backend.checks.length >= before + 3, { ...PATIENCE, what });
    await untilMetric(rig, "sallyport_workers", WORKERS, `another worker ${worker}`);
  }
  const from = backend.checks.length;
  await eventually(() => backend.checks.length >= from + 16, { what: "16 checks more" });
  assert.ok(longestOfSeven(backend.checks.slice(from)) >= 7 * 0.9 * INTERVAL - 5);
  assert.equal(backend.requests, 0);
  const metrics = await rig.metrics();
  assert.equal(metrics.sum("sallyport_http_requests_total"), 0);
  assert.equal(metrics.sum("sallyport_upstream_connects_total"), 0);
  assert.equal(metrics.value("sallyport_upstream_connections_active"), 0);
  const counted = metrics.value('sallyport_upstream_health_checks_total{outcome="passed"}') ?? 0;
  assert.ok(counted > 20 && counted <= backend.checks.length, `${counted} of ${backend.checks.length}`);
});

test("what one worker's checks find out, all workers go by", async (t) => {
  const [well, ill] = [await Backend.open(t), await Backend.open(t)];
  ill.status = ill.health = 503;
  await using rig = await Rig.start({ workers: WORKERS });
  await rig.apply({ backends: [well.port, ill.port], cluster: { healthCheck: HEALTH_CHECK } });
  await eventually(async () => (await showEndpoint(rig, ill))?.health === "unhealthy");
  await eventually(async () => (await askAll(rig)) === "200");
  await untilMetric(rig, "sallyport_upstream_endpoints_unhealthy", 1, "one unhealthy endpoint");
  ill.health = 200;
  await eventually(async () => (await showEndpoint(rig, ill))?.health === "fit");
  await eventually(async () => (await askAll(rig)) === "200 503");
  await untilMetric(rig, "sallyport_upstream_endpoints_unhealthy", 0, "no unhealthy endpoint");
});

test("an endpoint that fails for any worker is ejected for all, and comes back", async (t) => {
  const [well, ill] = [await Backend.open(t), await Backend.open(t)];
  ill.status = 500;
  const outlierDetection: Cluster["outlierDetection"] = {
    consecutive5xx: 5,
    consecutiveGatewayErrors: 0,
    splitLocalOrigin: false,
    consecutiveLocalOrigin: 0,
    interval: 10_000,
    baseEjectionTime: EJECTED,
    maxEjectionTime: 60_000,
    maxEjectionPercent: 50,
  };
  await using rig = await Rig.start({ workers: WORKERS });
  await rig.apply({ backends: [well.port, ill.port], cluster: { outlierDetection } });
  const ejected = 'sallyport_upstream_ejections_total{cause="consecutive-5xx"}';
  await eventually(async () => {
    await askAll(rig);
    return (await rig.metrics()).value(ejected) === 1;
  }, PATIENCE);
  await eventually(async () => (await askAll(rig)) === "200");
  const shown = await showEndpoint(rig, ill);
  assert.equal(shown?.health, "ejected");
  assert.ok(shown.ejectedForMs !== null && shown.ejectedForMs > 0 && shown.ejectedForMs <= EJECTED);
  assert.equal((await rig.metrics()).value("sallyport_upstream_endpoints_ejected"), 1);
  assert.ok(ill.requests >= 5);
  const before = ill.requests;
  ill.status = 200;
  await eventually(async () => (await showEndpoint(rig, ill))?.health === "fit");
  await eventually(async () => {
    await askAll(rig);
    return ill.requests > before;
  });
  assert.equal((await rig.metrics()).value("sallyport_upstream_endpoints_ejected"), 0);
});
