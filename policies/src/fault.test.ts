/** Fault injection: delays, aborts, and both. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { TestCapabilities, toRequest } from "../test/views.ts";
import { compileFault } from "./fault.ts";

const ALWAYS = { numerator: 100, denominator: 100 };
const HALF = { numerator: 1, denominator: 2 };

test("an abort answers at once with the status configured and the flag FI", () => {
  const filter = compileFault({ kind: "fault", abort: { share: ALWAYS, status: 418 } }, new TestCapabilities());
  const reply = filter.onRequest?.(toRequest({}));
  assert.ok(reply !== undefined && !(reply instanceof Promise));
  assert.equal(reply.status, 418);
  assert.equal(reply.flag, "FI");
});

test("a delay waits, flags the exchange DI and lets it go on", async () => {
  const capabilities = new TestCapabilities();
  const filter = compileFault({ kind: "fault", delay: { share: ALWAYS, milliseconds: 250 } }, capabilities);
  const request = toRequest({});
  const verdict = filter.onRequest?.(request);
  assert.ok(verdict instanceof Promise);
  assert.equal(await verdict, undefined);
  assert.deepEqual(capabilities.delays, [250]);
  assert.equal(request.flag, "DI");
});

test("what is not sampled goes on without waiting", () => {
  const capabilities = new TestCapabilities([0.7]);
  const filter = compileFault(
    { kind: "fault", delay: { share: HALF, milliseconds: 250 }, abort: { share: HALF, status: 500 } },
    capabilities,
  );
  assert.equal(filter.onRequest?.(toRequest({})), undefined);
  assert.deepEqual(capabilities.delays, []);
});

test("the abort is drawn independently and comes after the delay", async () => {
  const capabilities = new TestCapabilities([0.1, 0.1]);
  const filter = compileFault(
    { kind: "fault", delay: { share: HALF, milliseconds: 5 }, abort: { share: HALF, status: 503 } },
    capabilities,
  );
  const reply = await filter.onRequest?.(toRequest({}));
  assert.equal(reply?.status, 503);
  assert.deepEqual(capabilities.delays, [5]);
});

test("a call of gRPC is told the status that was configured for calls", () => {
  const abort = { share: ALWAYS, status: 503, grpcStatus: 8 };
  const reply = compileFault({ kind: "fault", abort }, new TestCapabilities()).onRequest?.(toRequest({ isGrpc: true }));
  assert.ok(reply !== undefined && !(reply instanceof Promise));
  assert.deepEqual([reply.status, reply.grpcStatus], [503, 8]);
});
