import assert from "node:assert/strict";
import { test } from "node:test";
import { toRecord, toStreamRecord } from "../../test/workers/exchange-record.ts";
import { BUCKETS, CLASSES, Cells, FLAGS, GLOBAL, HANDSHAKES, LISTENER, NAMED, PROTOCOLS } from "./cells.ts";
import { CellRecorder } from "./recorder.ts";

const SHAPE = { stripes: 1, listeners: 3, routes: 3, clusters: 3 };

function requestCell(codeClass: (typeof CLASSES)[number], flag: (typeof FLAGS)[number]): number {
  return LISTENER.requests + CLASSES.indexOf(codeClass) * FLAGS.length + FLAGS.indexOf(flag);
}

test("an exchange counts in its listener's block by class, flag, duration and bytes", () => {
  const cells = new Cells(SHAPE);
  const recorder = new CellRecorder({ cells, worker: 0 });
  recorder.exchange(toRecord({ listenerMetrics: 2, startedAt: 10, endedAt: 12.5 }));
  recorder.exchange(toRecord({ listenerMetrics: 2, status: 503, flag: "UH", startedAt: 0, endedAt: 400_000 }));
  recorder.exchange(toRecord({ listenerMetrics: 1, status: 0, flag: "DC", startedAt: 0, endedAt: 0.2 }));
  const one = cells.blockStart("listeners", 1);
  const two = cells.blockStart("listeners", 2);
  assert.equal(cells.sum(two + requestCell("2xx", "-")), 1);
  assert.equal(cells.sum(two + requestCell("5xx", "UH")), 1);
  assert.equal(cells.sum(one + requestCell("none", "DC")), 1);
  assert.equal(cells.sum(two + LISTENER.buckets + BUCKETS.indexOf(2.5)), 1, "a bound belongs to its bucket");
  assert.equal(cells.sum(two + LISTENER.buckets + BUCKETS.length), 1);
  assert.equal(cells.sum(one + LISTENER.buckets), 1);
  assert.equal(cells.sum(two + LISTENER.durationSum), 400_002.5);
  assert.equal(cells.sum(two + LISTENER.bytesReceived), 6);
  assert.equal(cells.sum(two + LISTENER.bytesSent), 130);
});

test("routes and clusters count where their labels are on, and nowhere else", () => {
  const cells = new Cells(SHAPE);
  const off = new CellRecorder({ cells, worker: 0 });
  off.exchange(toRecord());
  const start = cells.blockStart("routes", 0);
  assert.equal(
    cells
      .stripe(0)
      .subarray(start)
      .some((cell) => cell !== 0),
    false,
  );
  const on = new CellRecorder({
    cells,
    worker: 0,
    routeBlock: (name) => (name === "default/web/0" ? 1 : 0),
    clusterBlock: (name) => (name === "default/web:80" ? 2 : 0),
  });
  on.exchange(toRecord({ startedAt: 0, endedAt: 5 }));
  on.exchange(toRecord({ status: 404, routeName: "", upstreamCluster: "", startedAt: 0, endedAt: 1 }));
  const classAt = (codeClass: (typeof CLASSES)[number]): number => NAMED.requests + CLASSES.indexOf(codeClass);
  assert.equal(cells.sum(cells.blockStart("routes", 1) + classAt("2xx")), 1);
  assert.equal(cells.sum(cells.blockStart("routes", 1) + NAMED.durationSum), 5);
  assert.equal(cells.sum(cells.blockStart("clusters", 2) + classAt("2xx")), 1);
  assert.equal(cells.sum(cells.blockStart("routes", 0) + classAt("4xx")), 1);
});

test("connections count when they open and are active until they close", () => {
  const cells = new Cells(SHAPE);
  const recorder = new CellRecorder({ cells, worker: 0 });
  recorder.connectionOpened(1);
  recorder.connectionOpened(1);
  recorder.connectionClosed(1);
  const start = cells.blockStart("listeners", 1);
  assert.equal(cells.sum(start + LISTENER.connections), 2);
  assert.equal(cells.sum(start + LISTENER.connectionsActive), 1);
});

test("upstream connects count by outcome, and only those that succeeded are open", () => {
  const cells = new Cells(SHAPE);
  const recorder = new CellRecorder({ cells, worker: 0 });
  for (const outcome of ["success", "success", "failure", "timeout"] as const) recorder.upstreamConnect(outcome);
  recorder.upstreamClosed();
  recorder.upstreamReuse();
  recorder.upstreamPending(1);
  recorder.upstreamPending(1);
  recorder.upstreamPending(-1);
  recorder.upstreamAddressesLeftOut(3);
  const { connectSuccess, connectFailure, connectTimeout, upstreamActive, reuse, upstreamPending, addressesLeftOut } =
    GLOBAL;
  assert.deepEqual(
    [connectSuccess, connectFailure, connectTimeout, upstreamActive, reuse, upstreamPending, addressesLeftOut].map(
      (cell) => cells.sum(cell),
    ),
    [2, 1, 1, 1, 1, 1, 3],
  );
});

test("what was passed on counts by protocol and flag, with bytes, datagrams and time", () => {
  const cells = new Cells(SHAPE);
  const recorder = new CellRecorder({ cells, worker: 0 });
  recorder.stream(toStreamRecord({ listenerMetrics: 2 }));
  recorder.stream(toStreamRecord({ listenerMetrics: 2, protocol: "TLS", flag: "UF", startedAt: 0, endedAt: 50 }));
  recorder.stream(toStreamRecord({ listenerMetrics: 1, protocol: "UDP", datagramsReceived: 3, datagramsSent: 4 }));
  const one = cells.blockStart("listeners", 1);
  const two = cells.blockStart("listeners", 2);
  const streamCell = (protocol: (typeof PROTOCOLS)[number], flag: (typeof FLAGS)[number]): number =>
    LISTENER.streams + PROTOCOLS.indexOf(protocol) * FLAGS.length + FLAGS.indexOf(flag);
  assert.equal(cells.sum(two + streamCell("TCP", "-")), 1);
  assert.equal(cells.sum(two + streamCell("TLS", "UF")), 1);
  assert.equal(cells.sum(one + streamCell("UDP", "-")), 1);
  assert.equal(cells.sum(two + LISTENER.streamDurationSum), 300);
  assert.equal(cells.sum(two + LISTENER.streamBytesReceived), 20);
  assert.equal(cells.sum(two + LISTENER.streamBytesSent), 40);
  assert.equal(cells.sum(two + LISTENER.datagramsReceived), 0);
  assert.equal(cells.sum(one + LISTENER.datagramsReceived), 3);
  assert.equal(cells.sum(one + LISTENER.datagramsSent), 4);
  assert.equal(cells.sum(two + requestCell("none", "-")), 0, "it is no request");
});

test("handshakes count by outcome in their listener's block", () => {
  const cells = new Cells(SHAPE);
  const recorder = new CellRecorder({ cells, worker: 0 });
  for (const outcome of ["full", "full", "resumed", "failed", "refused"] as const) recorder.handshake(2, outcome);
  const start = cells.blockStart("listeners", 2) + LISTENER.handshakes;
  assert.deepEqual(
    HANDSHAKES.map((outcome, index) => [outcome, cells.sum(start + index)]),
    [
      ["full", 2],
      ["resumed", 1],
      ["failed", 1],
      ["refused", 1],
    ],
  );
});

test("blocks of listeners do not run into each other", () => {
  const cells = new Cells(SHAPE);
  const last = Math.max(...Object.values(LISTENER), LISTENER.streams + PROTOCOLS.length * FLAGS.length - 1);
  assert.ok(cells.blockStart("listeners", 0) + last < cells.blockStart("listeners", 1));
});

test("every exchange and every stream reaches the access log", () => {
  const seen: unknown[] = [];
  const recorder = new CellRecorder({
    cells: new Cells(SHAPE),
    worker: 0,
    onExchange: (record) => seen.push(record.status),
  });
  recorder.exchange(toRecord({ status: 204 }));
  recorder.stream(toStreamRecord());
  assert.deepEqual(seen, [204, undefined]);
});
