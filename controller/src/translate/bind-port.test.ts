import assert from "node:assert/strict";
import { test } from "node:test";
import { toClusterBindPort } from "./bind-port.ts";

const PORTS = Array.from({ length: 65_535 }, (_, index) => index + 1);

test("no two ports are bound as the same one", () => {
  const bound = PORTS.map(toClusterBindPort).filter((port) => port !== undefined);
  assert.equal(new Set(bound).size, bound.length);
});

test("whatever is bound needs no privilege, is a port and is none of the proxy's own", () => {
  for (const port of PORTS.map(toClusterBindPort).filter((bound) => bound !== undefined)) {
    assert.ok(port >= 1024 && port <= 65_535 && (port < 15_000 || port > 15_099), String(port));
  }
});

test("well known ports move by ten thousand, the others stay, and the highest have none", () => {
  assert.deepEqual(
    [80, 443, 10_080, 8080, 5020, 15_020, 3000].map(toClusterBindPort),
    [10_080, 10_443, 20_080, 8080, 5020, 25_020, 3000],
  );
  assert.deepEqual([60_000, 61_023, 61_024, 65_000, 65_100].map(toClusterBindPort), [
    undefined,
    undefined,
    61_024,
    undefined,
    65_100,
  ]);
});
