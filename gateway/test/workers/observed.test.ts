import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, renameSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { findStartFailure, Rig } from "./rig.ts";

test("every request of every worker becomes one line of the access log, whole", async () => {
  using directory = openTemporaryDirectory();
  const path = directory.file("access.log");
  await using rig = await Rig.start({ workers: 2, accessLog: { to: path } });
  await rig.apply();
  const clients = await rig.openMany(8);
  await Promise.all(
    clients.map(async (client, index) => {
      for (let count = 0; count < 100; count++) await client.ask(`/${index}/${count}`);
    }),
  );
  await eventually(
    async () => (await rig.metrics()).value('sallyport_access_log_lines_total{outcome="written"}') === 800,
  );
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const records = lines.map(
    (line) => JSON.parse(line) as { path: string; response_code: number; upstream_host: string },
  );
  assert.equal(new Set(records.map((record) => record.path)).size, 800);
  assert.deepEqual(new Set(records.map((record) => record.response_code)), new Set([200]));
  assert.deepEqual(new Set(records.map((record) => record.upstream_host)), new Set([`127.0.0.1:${rig.backendPort}`]));
});

test("a log file that was moved away is opened anew within seconds", async () => {
  using directory = openTemporaryDirectory();
  const path = directory.file("access.log");
  await using rig = await Rig.start({ workers: 1, accessLog: { to: path, format: "%REQ(:PATH)%" } });
  await rig.apply();
  const client = await rig.open();
  await client.ask("/before");
  await eventually(() => readFileSync(path, "utf8") === "/before\n");
  renameSync(path, directory.file("access.log.1"));
  await eventually(async () => {
    await client.ask("/after");
    return readFileSync(path, "utf8").startsWith("/after\n");
  });
});

test("a full disk costs log lines, which are counted, and no request", async () => {
  await using rig = await Rig.start({ workers: 1, accessLog: { to: "/dev/full" } });
  await rig.apply();
  const client = await rig.open();
  for (let count = 0; count < 500; count++) assert.equal((await client.ask()).status, 200);
  await eventually(
    async () => (await rig.metrics()).value('sallyport_access_log_lines_total{outcome="dropped"}') === 500,
  );
  assert.equal((await rig.metrics()).value('sallyport_access_log_lines_total{outcome="written"}'), 0);
});

test("route and cluster labels appear where they are asked for, capped", async () => {
  await using rig = await Rig.start({ workers: 1, labels: { routes: 1, clusters: 1 } });
  await rig.apply();
  const client = await rig.open();
  await client.ask();
  await rig.untilMetrics((metrics) => {
    assert.equal(metrics.value('sallyport_route_requests_total{route="default/web",code_class="2xx"}'), 1);
    assert.equal(metrics.value('sallyport_cluster_requests_total{cluster="default/web:80",code_class="2xx"}'), 1);
  });
});

test("metrics tell of listeners, upstream connections and workers", async () => {
  await using rig = await Rig.start({ workers: 2, heartbeat: { interval: 50, misses: 100 } });
  await rig.apply();
  const clients = await rig.openMany(4);
  for (const client of clients) for (let count = 0; count < 5; count++) await client.ask("/12345");
  const listener = 'listener="default/gw/http"';
  await rig.untilMetrics((metrics) => {
    assert.equal(metrics.value(`sallyport_http_requests_total{${listener},code_class="2xx",flag="-"}`), 20);
    assert.equal(metrics.value(`sallyport_http_request_duration_seconds_count{${listener}}`), 20);
    assert.equal(metrics.value(`sallyport_http_response_body_bytes_total{${listener}}`), 120);
    assert.equal(metrics.value(`sallyport_downstream_connections_active{${listener}}`), 4);
    const connects = metrics.value('sallyport_upstream_connects_total{outcome="success"}') ?? 0;
    assert.equal(connects + (metrics.value("sallyport_upstream_reuses_total") ?? 0), 20);
    assert.equal(metrics.value("sallyport_upstream_connections_active"), connects);
    assert.equal(metrics.value("sallyport_workers"), 2);
    assert.ok((metrics.value("process_resident_memory_bytes") ?? 0) > 1e7);
    assert.ok((metrics.value('sallyport_worker_heap_bytes{worker="1"}') ?? 0) > 1e6);
  });
});

test("a request that finds no endpoint counts with its flag", async () => {
  await using rig = await Rig.start({ workers: 1 });
  await rig.apply({ backends: [] });
  const client = await rig.open();
  assert.equal((await client.ask()).status, 503);
  const key = 'sallyport_http_requests_total{listener="default/gw/http",code_class="5xx",flag="UH"}';
  await rig.untilMetrics((metrics) => assert.equal(metrics.value(key), 1));
});

test("the process log changes its level while it runs, in every worker", async () => {
  await using rig = await Rig.start({ workers: 2 });
  assert.deepEqual(JSON.parse((await rig.admin("/logging", "POST")).body), { level: "off" });
  assert.deepEqual(JSON.parse((await rig.admin("/logging?level=error", "POST")).body), { level: "error" });
  assert.equal((await rig.admin("/logging?level=loud", "POST")).status, 400);
  assert.deepEqual(JSON.parse((await rig.admin("/logging", "POST")).body), { level: "error" });
});

test("the admin API shows configuration, clusters and listeners as the workers have them", async () => {
  await using rig = await Rig.start({ workers: 2 });
  const port = await rig.apply();
  const client = await rig.open();
  await client.ask();
  const dump = JSON.parse((await rig.admin("/config_dump")).body) as { epoch: number; resources: { kind: string }[] };
  assert.equal(dump.epoch, 1);
  assert.deepEqual(
    dump.resources.map(({ kind }) => kind),
    ["listener", "http-route", "cluster", "endpoints"],
  );
  const address = `127.0.0.1:${rig.backendPort}`;
  const use = { health: "fit", ejectedForMs: null, active: 0, connections: 1, streams: 0, idle: 1, draining: 0 };
  await eventually(async () => {
    const [cluster] = JSON.parse((await rig.admin("/clusters")).body) as { key: string; endpoints: unknown[] }[];
    assert.equal(cluster?.key, "default/web:80");
    assert.deepEqual(cluster?.endpoints, [{ address, weight: 1, state: "ready", ...use }]);
    return true;
  });
  assert.deepEqual(JSON.parse((await rig.admin("/listeners")).body), [
    {
      bind: "127.0.0.1:0",
      port,
      transport: "http",
      chains: 0,
      draining: false,
      connections: 1,
      listeners: [{ key: "default/gw/http", port: 80, protocol: "http", hostname: "*", routes: 1 }],
    },
  ]);
  assert.match((await rig.admin("/stats")).body, /^sallyport_config_epoch: 1$/m);
  assert.match((await rig.admin("/")).body, /<h1>Sallyport<\/h1>/);
});

test("memory beyond its limit first ends keep-alive, then sheds requests", async () => {
  const memory = { limit: 1, stopKeepAlive: 0.5, shed: 1e12 };
  await using rig = await Rig.start({ workers: 1, memory });
  await rig.apply();
  await eventually(async () => (await rig.metrics()).value("sallyport_memory_pressure") === 1);
  const client = await rig.open();
  const answer = await client.ask();
  assert.equal(answer.status, 200);
  await client.raw.signal.require(() => client.raw.state === "ended", 5_000, "the connection to end");

  await using shedding = await Rig.start({ workers: 1, memory: { ...memory, shed: 0.9 } });
  await shedding.apply();
  await eventually(async () => (await shedding.metrics()).value("sallyport_memory_pressure") === 2);
  assert.equal((await (await shedding.open()).ask()).status, 503);
  const key = 'sallyport_http_requests_total{listener="default/gw/http",code_class="5xx",flag="OM"}';
  await shedding.untilMetrics((metrics) => assert.equal(metrics.value(key), 1));
});

test("options that cannot work are refused with what would", async () => {
  assert.match(await findStartFailure({ workers: 0 }), /between 1 and 256, not 0/);
  assert.match(
    await findStartFailure({ workers: 1, accessLog: { to: "-", format: "%NOPE%" } }),
    /unknown access log operator %NOPE%; known are/,
  );
  assert.match(
    await findStartFailure({ workers: 1, accessLog: { to: "/no/such/file" } }),
    /cannot be written to \/no\/such\/file: ENOENT/,
  );
  assert.match(await findStartFailure({ workers: 1, drain: { minimum: 2, maximum: 1 } }), /lower the minimum/);
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const address = squatter.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  assert.match(
    await findStartFailure({ workers: 1, admin: { host: "127.0.0.1", port } }),
    new RegExp(`the admin API cannot listen on 127.0.0.1:${port}: the port is in use; .*--admin`),
  );
  assert.match(
    await findStartFailure({ workers: 2, metrics: { host: "127.0.0.1", port } }),
    new RegExp(`the metrics server cannot listen on 127.0.0.1:${port}: the port is in use; .*--metrics`),
  );
  squatter.close();
});
