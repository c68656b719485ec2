import assert from "node:assert/strict";
import { test } from "node:test";
import { toSnapshot } from "@sallyport/model/snapshot";
import { DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
import { toRecord, toStreamRecord } from "../../test/workers/exchange-record.ts";
import { parsePrometheusText } from "../../test/workers/prometheus-text.ts";
import { ActiveTable } from "./active-counts.ts";
import { Cells } from "./cells.ts";
import { openExposition } from "./exposition.ts";
import { METRIC_FAMILIES } from "./families.ts";
import type { MetricSource } from "./metric-source.ts";
import { CellRecorder } from "./recorder.ts";
import { Series } from "./series.ts";

const FACTS = {
  epoch: 7,
  applies: 8,
  rejects: 2,
  appliedAt: 1_700_000_000_000,
  ready: true,
  pressure: 1,
  workersServing: 2,
  workersDied: 3,
  workersHung: 4,
  maxFiles: 1024,
};

function toListener(key: string): Listener {
  const bind = { address: "127.0.0.1", port: 8080 };
  return { kind: "listener", key, port: 80, bind, protocol: "http", http: DEFAULT_HTTP_SERVER_OPTIONS };
}

function openSource(listeners: number): MetricSource & { readonly recorder: CellRecorder } {
  const cells = new Cells({ stripes: 2, listeners, routes: 0, clusters: 0 });
  const series = new Series(cells);
  const active = new ActiveTable({ workers: 1, slots: 2 }, 0);
  return { cells, active, series, facts: () => FACTS, recorder: new CellRecorder({ cells, worker: 1 }) };
}

test("every family is exported and reads as a strict parser wants it", async () => {
  const source = openSource(8);
  source.series.reserve(toSnapshot([toListener('odd/"name"\\/http')]));
  source.recorder.exchange(toRecord({ startedAt: 0, endedAt: 30 }));
  source.recorder.exchange(toRecord({ startedAt: 0, endedAt: 0.25, status: 503, flag: "UH" }));
  const exposition = await openExposition(source);
  assert.equal(exposition.contentType, "text/plain; version=0.0.4; charset=utf-8");
  const metrics = parsePrometheusText(await exposition.text());
  const exported = [...metrics.families.values()].map(({ name, type, help }) => ({ name, type, help }));
  assert.deepEqual(
    exported,
    METRIC_FAMILIES.map(({ name, type, help }) => ({ name, type, help })),
  );
  const listener = 'listener="odd/\\"name\\"\\\\/http"';
  assert.deepEqual(metrics.series("sallyport_http_requests_total"), [
    `sallyport_http_requests_total{${listener},code_class="2xx",flag="-"}`,
    `sallyport_http_requests_total{${listener},code_class="5xx",flag="UH"}`,
  ]);
  assert.equal(metrics.sum("sallyport_http_requests_total"), 2);
  assert.equal(metrics.value(`sallyport_http_request_duration_seconds_bucket{${listener},le="0.025"}`), 1);
  assert.equal(metrics.value(`sallyport_http_request_duration_seconds_bucket{${listener},le="0.05"}`), 2);
  assert.equal(metrics.value(`sallyport_http_request_duration_seconds_sum{${listener}}`), 0.03025);
  assert.equal(metrics.value("sallyport_config_epoch"), 7);
  assert.deepEqual(
    metrics.series("sallyport_worker_loop_busy_ratio"),
    [0, 1].map((worker) => `sallyport_worker_loop_busy_ratio{worker="${worker}"}`),
  );
});

test("handshakes and what was passed on are exported by listener, and only where they occurred", async () => {
  const source = openSource(8);
  source.series.reserve(toSnapshot([toListener("a/b/db"), toListener("a/b/web")]));
  source.recorder.handshake(1, "resumed");
  source.recorder.stream(toStreamRecord({ protocol: "UDP", flag: "UH", datagramsReceived: 7, datagramsSent: 8 }));
  const metrics = parsePrometheusText(await (await openExposition(source)).text());
  const db = 'listener="a/b/db"';
  assert.deepEqual(metrics.series("sallyport_tls_handshakes_total"), [
    `sallyport_tls_handshakes_total{${db},outcome="resumed"}`,
  ]);
  assert.deepEqual(metrics.series("sallyport_streams_total"), [
    `sallyport_streams_total{${db},protocol="udp",flag="UH"}`,
  ]);
  assert.equal(metrics.value(`sallyport_stream_seconds_total{${db}}`), 0.25);
  assert.equal(metrics.value(`sallyport_stream_received_bytes_total{${db}}`), 10);
  assert.equal(metrics.value(`sallyport_stream_sent_bytes_total{${db}}`), 20);
  assert.equal(metrics.value(`sallyport_stream_received_datagrams_total{${db}}`), 7);
  assert.equal(metrics.value(`sallyport_stream_sent_datagrams_total{${db}}`), 8);
});

test("a second scrape shows what changed and nothing twice, and a listener that is gone is gone", async () => {
  const source = openSource(8);
  const snapshot = toSnapshot([toListener("a/b/c")]);
  source.series.reserve(snapshot);
  source.recorder.exchange(toRecord());
  const exposition = await openExposition(source);
  await exposition.text();
  source.recorder.exchange(toRecord());
  const again = parsePrometheusText(await exposition.text());
  assert.equal(again.value('sallyport_http_requests_total{listener="a/b/c",code_class="2xx",flag="-"}'), 2);
  source.series.retain(toSnapshot([]));
  const gone = parsePrometheusText(await exposition.text());
  assert.deepEqual(gone.series("sallyport_http_requests_total"), []);
  assert.deepEqual(gone.series("sallyport_http_request_duration_seconds"), []);
});

test("listeners beyond the cap share the series other", async () => {
  const source = openSource(2);
  const snapshot = toSnapshot([toListener("a/b/c"), toListener("a/b/d")]);
  source.series.reserve(snapshot);
  source.series.retain(snapshot);
  source.recorder.exchange(toRecord({ listenerMetrics: 0 }));
  const metrics = parsePrometheusText(await (await openExposition(source)).text());
  assert.equal(metrics.value('sallyport_http_requests_total{listener="other",code_class="2xx",flag="-"}'), 1);
  assert.equal(metrics.value('sallyport_http_request_body_bytes_total{listener="other"}'), 3);
});
