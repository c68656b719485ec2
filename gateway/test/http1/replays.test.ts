/** Tries that are made anew: what an endpoint did not look at goes out again, whatever it is, as long as all of it is there. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import type { RawClient } from "@sallyport/testkit/raw-client";
import { eventually } from "@sallyport/testkit/eventually";
import type { TryProgress } from "../../src/exchange/contract.ts";
import { toResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openRig, type Rig } from "./rig.ts";

const POST = "POST / HTTP/1.1\r\nHost: x\r\n";

function ok(): ReturnType<typeof toResponseHead> {
  return toResponseHead({ status: 200, headers: [["date", "x"]] }, 2);
}

interface Begun {
  readonly rig: Rig;
  readonly upstream: HandUpstream;
  readonly client: RawClient;
}

async function begin(t: TestContext, request: string): Promise<Begun> {
  const upstream = new HandUpstream();
  const rig = await openRig(t, { backend: { cluster: upstream } });
  const client = await rig.client();
  await client.send(request);
  return { rig, upstream, client };
}

async function fail(
  { upstream }: Begun,
  progress: TryProgress,
  reason: FaultReason = "upstream-refused",
): Promise<void> {
  const stream = await upstream.next();
  stream.receiver?.onAnswerFailed(reason, progress);
}

async function statusOf(client: RawClient): Promise<number | undefined> {
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  return client.responses[0]?.status;
}

test("a POST without a body that nobody saw goes out again", async (t) => {
  const begun = await begin(t, `${POST}\r\n`);
  await fail(begun, "unseen");
  const stream = await begun.upstream.next();
  assert.ok(stream.ended && stream.flushed);
  stream.answer(ok(), "length", ["ok"]);
  assert.equal(await statusOf(begun.client), 200);
});

test("a body that had not begun arrives whole at the next try", async (t) => {
  const begun = await begin(t, `${POST}Content-Length: 5\r\n\r\n`);
  await fail(begun, "unseen");
  const stream = await begun.upstream.next();
  await begun.client.send("hello");
  await eventually(() => stream.ended && stream.content === "hello");
  stream.answer(ok(), "length", ["ok"]);
  assert.equal(await statusOf(begun.client), 200);
});

test("what comes of a body while the next try waits for a connection is not lost", async (t) => {
  const begun = await begin(t, `${POST}Transfer-Encoding: chunked\r\n\r\n`);
  const first = await begun.upstream.next();
  assert.equal(first.mode, "raw");
  begun.upstream.hold = true;
  first.receiver?.onAnswerFailed("upstream-refused", "unseen");
  await begun.client.send("5\r\nhello\r\n0\r\n\r\n");
  // what is sent later on another connection has come: so has this
  const later = await begun.rig.client();
  await later.send(`${POST}\r\n`);
  await eventually(() => begun.upstream.waiting === 2);
  begun.upstream.release();
  const stream = await begun.upstream.next();
  await eventually(() => stream.ended && stream.content === "hello");
  stream.answer(ok(), "length", ["ok"]);
  assert.equal(await statusOf(begun.client), 200);
});

test("a body that has begun is not repeated", async (t) => {
  const begun = await begin(t, `${POST}Content-Length: 5\r\n\r\nhel`);
  const stream = await begun.upstream.next();
  await eventually(() => stream.content === "hel");
  stream.receiver?.onAnswerFailed("upstream-refused", "unseen");
  assert.equal(await statusOf(begun.client), 503);
});

test("it ends after three tries", async (t) => {
  const begun = await begin(t, `${POST}\r\n`);
  for (let i = 0; i < 3; i++) await fail(begun, "unseen");
  assert.equal(await statusOf(begun.client), 503);
});

test("what may have been seen, or could not be reached, is not repeated", async (t) => {
  for (const [progress, reason] of [
    ["silent", "upstream-closed"],
    ["begun", "upstream-reset"],
    ["unseen", "connect-failure"],
    ["unseen", "connect-timeout"],
    ["unseen", "upgrade-refused"],
  ] as const) {
    const begun = await begin(t, `${POST}\r\n`);
    await fail(begun, progress, reason);
    assert.equal(await statusOf(begun.client), FAULTS[reason].status, `${progress} ${reason}`);
  }
});

test("a raw body goes nowhere where raw is not taken", async (t) => {
  const begun = await begin(t, `${POST}Transfer-Encoding: chunked\r\n\r\n`);
  const first = await begun.upstream.next();
  begun.upstream.takesRaw = false;
  first.receiver?.onAnswerFailed("upstream-refused", "unseen");
  assert.equal(await statusOf(begun.client), 503);
});
