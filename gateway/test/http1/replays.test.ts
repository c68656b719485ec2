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

test("what is lost in silence with a connection that answered before goes out again once, and not a second time", async (t) => {
  const begun = await begin(t, "");
  begun.upstream.reused = true;
  await begun.client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await fail(begun, "silent", "upstream-closed");
  // an endpoint that closes on this very request would be asked for ever
  await fail(begun, "silent", "upstream-closed");
  assert.equal(await statusOf(begun.client), 503);
  assert.deepEqual(begun.upstream.asked, ["any", "fresh"]);
});

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

test("a small body that has begun is kept where its connection may give it back", async (t) => {
  const begun = await begin(t, "");
  begun.upstream.takesRaw = false;
  await begun.client.send(`${POST}Content-Length: 5\r\n\r\nhel`);
  const first = await begun.upstream.next();
  await eventually(() => first.content === "hel");
  first.receiver?.onAnswerFailed("upstream-refused", "unseen");
  const second = await begun.upstream.next();
  assert.deepEqual([second.content, second.ended], ["hel", false]);
  await begun.client.send("lo");
  await eventually(() => second.ended);
  second.receiver?.onAnswerFailed("upstream-refused", "unseen");
  const third = await begun.upstream.next();
  assert.deepEqual([third.content, third.ended, third.flushed], ["hello", true, true]);
  third.answer(ok(), "length", ["ok"]);
  assert.equal(await statusOf(begun.client), 200);
});

test("a body that was kept brings its trailers, and waits where the connection is full", async (t) => {
  const begun = await begin(t, "");
  begun.upstream.takesRaw = false;
  await begun.client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  const first = await begun.upstream.next();
  await eventually(() => first.content === "hello");
  begun.upstream.hold = true;
  first.receiver?.onAnswerFailed("upstream-refused", "unseen");
  begun.upstream.full = true;
  begun.upstream.release();
  const second = await begun.upstream.next();
  await begun.client.send("0\r\nx-sum: 1\r\n\r\n");
  // what is sent later on another connection has come: so would this have
  const later = await begun.rig.client();
  await later.send(`${POST}\r\n`);
  const other = await begun.upstream.next();
  assert.deepEqual([second.content, second.ended], ["hello", false]);
  second.full = other.full = false;
  second.receiver?.onUpstreamDrain();
  await eventually(() => second.ended);
  assert.deepEqual(second.trailers, [["x-sum", "1"]]);
  begun.upstream.full = false;
  second.receiver?.onAnswerFailed("upstream-refused", "unseen");
  const third = await begun.upstream.next();
  assert.deepEqual([third.content, third.trailers, third.ended], ["hello", [["x-sum", "1"]], true]);
  third.answer(ok(), "length", ["ok"]);
  assert.equal(await statusOf(begun.client), 200);
});

test("a large body is not kept, whether its length was announced or not", async (t) => {
  const size = 16_385;
  for (const [fields, body] of [
    [`Content-Length: ${size}`, "x".repeat(size)],
    ["Transfer-Encoding: chunked", `${size.toString(16)}\r\n${"x".repeat(size)}\r\n0\r\n\r\n`],
  ] as const) {
    const begun = await begin(t, "");
    begun.upstream.takesRaw = false;
    await begun.client.send(`${POST}${fields}\r\n\r\n${body}`);
    const stream = await begun.upstream.next();
    await eventually(() => stream.ended);
    stream.receiver?.onAnswerFailed("upstream-refused", "unseen");
    assert.equal(await statusOf(begun.client), 503, fields);
  }
});

test("who could not be reached is not tried again, but others are, with the body", async (t) => {
  const begun = await begin(t, "");
  begun.upstream.takesRaw = false;
  await begun.client.send(`${POST}Content-Length: 5\r\n\r\nhello`);
  const first = await begun.upstream.next();
  await eventually(() => first.ended);
  first.receiver?.onAnswerFailed("connect-failure", "unseen");
  const second = await begun.upstream.next();
  assert.deepEqual([begun.upstream.avoided, second.content, second.ended], [["192.0.2.9:80"], "hello", true]);
  begun.upstream.hold = true;
  second.receiver?.onAnswerFailed("upstream-refused", "unseen");
  assert.equal(begun.upstream.avoided.length, 1);
  begun.upstream.release();
  (await begun.upstream.next()).answer(ok(), "length", ["ok"]);
  assert.equal(await statusOf(begun.client), 200);
});

test("a connection that did not come up in time is followed by one to another endpoint, and by no third one", async (t) => {
  const begun = await begin(t, `${POST}\r\n`);
  await fail(begun, "unseen", "connect-timeout");
  await fail(begun, "unseen", "connect-timeout");
  assert.equal(await statusOf(begun.client), 503);
  assert.deepEqual(begun.upstream.avoided, ["192.0.2.9:80"]);
});

test("it ends after four tries", async (t) => {
  const begun = await begin(t, `${POST}\r\n`);
  for (let i = 0; i < 4; i++) await fail(begun, "unseen");
  assert.equal(await statusOf(begun.client), 503);
});

test("what may have been seen, or would end the same, is not repeated", async (t) => {
  for (const [progress, reason] of [
    ["silent", "upstream-closed"],
    ["begun", "upstream-reset"],
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
