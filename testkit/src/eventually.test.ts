import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./eventually.ts";

test("eventually resolves with the first value that is neither false nor undefined", async () => {
  let calls = 0;
  const value = await eventually(() => (++calls < 4 ? undefined : calls));
  assert.equal(value, 4);
});

test("eventually passes on a value that is falsy but not false", async () => {
  assert.equal(await eventually(() => 0), 0);
});

test("eventually keeps trying while the probe throws", async () => {
  let calls = 0;
  await eventually(() => {
    assert.ok(++calls > 2);
    return true;
  });
  assert.equal(calls, 3);
});

test("eventually gives up in time, names what it waited for and keeps the last error", async () => {
  const started = performance.now();
  const cause = new Error("port closed");
  await assert.rejects(
    eventually(() => Promise.reject<boolean>(cause), { within: 50, what: "the port" }),
    (error: Error) => error.message === "waited 50 ms in vain for the port" && error.cause === cause,
  );
  assert.ok(performance.now() - started < 10_000);
});
