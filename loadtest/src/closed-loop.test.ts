import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTotals } from "./closed-loop.ts";

test("totals are read from the line among wrk's own output, and every kind of error is a failure", () => {
  const output = `Running 1s test @ http://127.0.0.1:1
  1 threads and 64 connections
TOTALS {"requests":46896,"microseconds":1000123,"bytes":9000000,"connect":1,"read":2,"write":3,"timeout":4,"status":5}
`;
  assert.deepEqual(parseTotals(output), { requests: 46_896, seconds: 1.000123, bytes: 9_000_000, failures: 15 });
});

test("output without totals is an error that shows it", () => {
  assert.throws(
    () => parseTotals("unable to connect to 127.0.0.1:1 Connection refused"),
    /no totals: unable to connect/,
  );
});
