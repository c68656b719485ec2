import assert from "node:assert/strict";
import { test } from "node:test";
import { ActiveTable } from "../observe/active-counts.ts";
import { NO_SLOT } from "../observe/contract.ts";
import { type LimitedPort, PortConnections, type SharedCounts } from "./port-connections.ts";
import { toListener } from "../../test/http1/rig.ts";

const SHAPE = { workers: 2, slots: 4 };

/** What was noted, and a port as one worker counts it. */
function open(counts: SharedCounts | undefined, key = "0.0.0.0:80", limited: number[] = []): PortConnections {
  const log = { warn: () => undefined };
  const recorder = { connectionLimited: (metrics: number) => void limited.push(metrics) };
  return new PortConnections(counts, key, { recorder, log, now: () => 0 });
}

/** A port with so much room. */
function limit(maxConnections?: number): LimitedPort {
  const connections = maxConnections === undefined ? {} : { maxConnections };
  return { connections, fallback: toListener({ metrics: 7 }), port: 80 };
}

/** The tables of two workers over the same memory. */
function openTables(): readonly [ActiveTable, ActiveTable] {
  const first = new ActiveTable(SHAPE, 0);
  return [first, new ActiveTable(SHAPE, 1, first.buffer)];
}

test("workers have one limit between them, each port its own", () => {
  const limited: number[] = [];
  const [one, other] = openTables();
  const [left, right] = [open(one, "a:80", limited), open(other, "a:80", limited)];
  const elsewhere = open(one, "a:81", limited);
  assert.ok(left.admit(limit(3)) && right.admit(limit(3)) && right.admit(limit(3)));
  assert.ok(!left.admit(limit(3)) && !right.admit(limit(3)));
  assert.deepEqual(limited, [7, 7]);
  assert.ok(elsewhere.admit(limit(1)));
  right.giveBack();
  assert.ok(left.admit(limit(3)));
});

test("what came while there was no limit counts when there is one", () => {
  const [one, other] = openTables();
  const [left, right] = [open(one), open(other)];
  for (let i = 0; i < 5; i++) assert.ok(left.admit(limit()));
  assert.ok(!right.admit(limit(5)));
  assert.ok(right.admit(limit(6)));
});

test("the places of a dead worker are free", () => {
  const [one, other] = openTables();
  const [left, right] = [open(one), open(other)];
  for (let i = 0; i < 2; i++) left.admit(limit(3));
  assert.ok(right.admit(limit(3)) && !right.admit(limit(3)));
  other.clearWorker(0);
  assert.ok(right.admit(limit(3)) && right.admit(limit(3)) && !right.admit(limit(3)));
});

test("that the limit of a listener is reached is a warning, once in ten seconds, with how many were closed", () => {
  const lines: [string, Readonly<Record<string, unknown>>][] = [];
  let now = 0;
  const log = {
    warn: (message: string, fields: Readonly<Record<string, unknown>>) => void lines.push([message, fields]),
  };
  const recorder = { connectionLimited: () => undefined };
  const port = new PortConnections(undefined, "0.0.0.0:80", { recorder, log, now: () => now });
  const limited = { ...limit(1), limiter: "ns/gateway/b" };
  port.admit(limited);
  for (; now < 10_000; now += 100) assert.ok(!port.admit(limited));
  assert.ok(!port.admit(limited));
  const message = "limit of connections of a listener reached";
  const where = { listener: "ns/gateway/b", port: 80, limit: 1 };
  assert.deepEqual(lines, [
    [message, { ...where, closed: 1 }],
    [message, { ...where, closed: 100 }],
  ]);
});

test("without room in the table, or without a table, a worker counts for itself", () => {
  const [one] = openTables();
  const ports = Array.from({ length: SHAPE.slots }, (_, index) => open(one, `full:${index}`));
  for (const port of [open(one, "late:80"), open(undefined)]) {
    assert.ok(port.admit(limit(2)) && port.admit(limit(2)) && !port.admit(limit(2)));
    port.giveBack();
    assert.ok(port.admit(limit(2)));
  }
  for (const port of ports) port.close();
});

test("ports that are gone leave room for others", () => {
  const [one] = openTables();
  for (let round = 0; round < 20; round++) {
    const port = open(one, `round:${round}`);
    assert.ok(port.admit(limit(1)));
    port.giveBack();
    port.close();
    const slot = one.claim("other", `${round}`);
    assert.notEqual(slot, NO_SLOT, `round ${round}`);
    one.release(slot);
  }
});
