import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BODY_PURPOSES,
  BUCKETS,
  Cells,
  FLAGS,
  GLOBAL,
  LIMIT_NAMES,
  LISTENER,
  NAMED,
  toBodyCell,
  toClassIndex,
  toLimitCell,
} from "./cells.ts";

const SHAPE = { stripes: 3, listeners: 4, routes: 2, clusters: 2 };

test("a cell reads as the sum of what every worker counted", () => {
  const cells = new Cells(SHAPE);
  for (const worker of [0, 1, 2]) cells.stripe(worker)[GLOBAL.reuse] = worker + 1;
  assert.equal(cells.sum(GLOBAL.reuse), 6);
  assert.equal(cells.of(2, GLOBAL.reuse), 3);
});

test("a view of the same buffer sees the same cells, one of another shape is refused", () => {
  const cells = new Cells(SHAPE);
  const other = new Cells(SHAPE, cells.buffer);
  other.stripe(1)[GLOBAL.logLines] = 5;
  assert.equal(cells.sum(GLOBAL.logLines), 5);
  assert.throws(() => new Cells({ ...SHAPE, listeners: 5 }, cells.buffer), /shape/);
});

test("blocks of all kinds and workers keep apart", () => {
  const cells = new Cells(SHAPE);
  const starts: number[] = [];
  for (let block = 0; block < 4; block++) starts.push(cells.blockStart("listeners", block));
  for (const kind of ["routes", "clusters"] as const) starts.push(cells.blockStart(kind, 0), cells.blockStart(kind, 1));
  for (const [index, start] of starts.entries()) cells.stripe(1)[start] = index + 1;
  for (const [index, start] of starts.entries()) assert.equal(cells.sum(start), index + 1);
  const last = cells.blockStart("clusters", 1) + NAMED.durationSum;
  assert.ok(last < cells.stripe(0).length);
  cells.stripe(0)[last] = 9;
  assert.equal(cells.stripe(1)[GLOBAL.connectSuccess], 0);
});

test("a dead worker's gauges are cleared and its counters stay", () => {
  const cells = new Cells(SHAPE);
  const start = cells.blockStart("listeners", 2);
  for (const worker of [0, 1]) {
    const stripe = cells.stripe(worker);
    stripe[start + LISTENER.connectionsActive] = 7;
    stripe[start + LISTENER.connections] = 70;
    stripe[GLOBAL.upstreamActive] = 3;
    stripe[GLOBAL.upstreamPending] = 2;
    stripe[GLOBAL.connectSuccess] = 30;
  }
  cells.clearGauges(1);
  assert.equal(cells.sum(start + LISTENER.connectionsActive), 7);
  assert.equal(cells.sum(start + LISTENER.connections), 140);
  assert.equal(cells.sum(GLOBAL.upstreamActive), 3);
  assert.equal(cells.sum(GLOBAL.upstreamPending), 2);
  assert.equal(cells.sum(GLOBAL.connectSuccess), 60);
});

test("of all that a dead worker wrote, every gauge is cleared and nothing else", () => {
  const cells = new Cells(SHAPE);
  const stripe = cells.stripe(1).fill(7);
  cells.clearGauges(1);
  const { upstreamActive, upstreamPending, loopLag, loopBusy, heapUsed } = GLOBAL;
  const gauges = [
    ...[upstreamActive, upstreamPending, loopLag, loopBusy, heapUsed],
    ...LIMIT_NAMES.map((limit) => toLimitCell("breakersOpen", limit)),
    ...BODY_PURPOSES.map((purpose) => toBodyCell("bodyBytes", purpose)),
    ...Array.from({ length: SHAPE.listeners }, (_, block) => {
      return cells.blockStart("listeners", block) + LISTENER.connectionsActive;
    }),
  ];
  assert.deepEqual(
    [...stripe.keys()].filter((cell) => stripe[cell] !== 7),
    gauges,
  );
});

test("a block that is forgotten reads as zero and then counts what is new", () => {
  const cells = new Cells(SHAPE);
  const cell = cells.blockStart("routes", 1) + NAMED.requests;
  const stripe = cells.stripe(2);
  stripe[cell] = 41;
  cells.forget("routes", 1);
  assert.equal(cells.sum(cell), 0);
  stripe[cell] = 43;
  assert.equal(cells.sum(cell), 2);
  cells.forget("routes", 1);
  assert.equal(cells.sum(cell), 0);
});

test("a gauge never shows less than nothing", () => {
  const cells = new Cells(SHAPE);
  const cell = cells.blockStart("listeners", 1) + LISTENER.connectionsActive;
  cells.stripe(0)[cell] = 1;
  cells.forget("listeners", 1);
  cells.stripe(0)[cell] = 0;
  assert.equal(cells.gauge(cell), 0);
});

test("statuses fall into their class, everything else into none", () => {
  assert.deepEqual([0, 99, 101, 200, 304, 404, 599, 600].map(toClassIndex), [0, 0, 1, 2, 3, 4, 5, 0]);
});

test("flags and buckets are distinct and buckets ascend", () => {
  assert.equal(new Set(FLAGS).size, FLAGS.length);
  assert.deepEqual(
    [...BUCKETS].toSorted((one, other) => one - other),
    [...BUCKETS],
  );
});
