/** Retries by the policy of a rule, as clients see them: an upstream played by hand, time turned by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { answer, begin, fail } from "./retry-rig.ts";
import { recordOf } from "./rig.ts";

const POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

test("an answer the policy does not take for one is dropped, and the next one is the client's", async (t) => {
  const begun = await begin(t);
  const first = await begun.next();
  answer(first, 500, "bad");
  assert.deepEqual([first.discarded, first.cancelled], [1, 0]);
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.flag, record.attempts, record.bytesSent], ["-", 2, 2]);
  assert.deepEqual(begun.rig.counts.retries, ["made", "success"]);
  assert.equal(begun.upstream.retries.active, 0);
});

test("when the attempts are used up the last answer is the client's, flagged", async (t) => {
  const begun = await begin(t);
  for (const body of ["one", "two", "three"]) answer(await begun.next(), 500, body);
  assert.deepEqual(begun.upstream.asked, ["any", "any", "any"]);
  assert.equal(await begun.status(), 500);
  assert.equal(begun.client.responses[0]?.body.toString(), "three");
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.flag, record.details, record.attempts], ["URX", "via_upstream", 3]);
  assert.deepEqual(begun.rig.counts.retries, ["made", "made", "exhausted"]);
  assert.equal(begun.upstream.retries.active, 0);
});

test("a status that is not listed goes to the client at once", async (t) => {
  const begun = await begin(t);
  answer(await begun.next(), 503);
  assert.equal(await begun.status(), 503);
  assert.deepEqual(begun.rig.counts.retries, []);
});

test("the next try waits as long as the policy says", async (t) => {
  const begun = await begin(t, { retry: { backoff: { least: 400, base: 400, max: 400 } } });
  answer(await begun.next(), 500);
  begun.rig.advance(396);
  assert.equal(begun.rig.records.length, 0);
  begun.upstream.hold = true;
  assert.equal(begun.upstream.waiting, 0);
  begun.rig.advance(12);
  assert.equal(begun.upstream.waiting, 1);
  begun.upstream.release();
  answer(await begun.upstream.next(), 200);
  assert.equal(await begun.status(), 200);
});

test("a budget that is used up leaves the answer as it is", async (t) => {
  const begun = await begin(t);
  begun.upstream.retries.limit = 0;
  answer(await begun.next(), 500);
  assert.equal(await begun.status(), 500);
  assert.equal((await recordOf(begun.rig)).flag, "UO");
  assert.deepEqual(begun.rig.counts.retries, ["overflow"]);
});

test("a body goes out once more where the policy names the status, and is not kept for long", async (t) => {
  const begun = await begin(t, { request: POST });
  const first = await begun.next();
  await eventually(() => first.ended && first.content === "hello");
  answer(first, 500);
  const second = await begun.next();
  await eventually(() => second.ended && second.content === "hello");
  assert.equal(begun.rig.kept.bytes, 5);
  second.begin(toResponseHead({ status: 200, headers: [["date", "x"]] }, 2), "length");
  assert.deepEqual([begun.rig.kept.bytes, begun.upstream.retries.active], [0, 0]);
  second.piece("ok");
  second.finish();
  assert.equal(await begun.status(), 200);
});

test("an early answer is retried with what came of the body, and the rest follows", async (t) => {
  const begun = await begin(t, {
    request: "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
  });
  const first = await begun.next();
  await eventually(() => first.content === "hel");
  assert.equal(first.mode, "content", "the next try may go to an endpoint that speaks HTTP/2");
  answer(first, 500);
  const second = await begun.next();
  await begun.client.send("2\r\nlo\r\n0\r\n\r\n");
  await eventually(() => second.ended && second.content === "hello");
  answer(second, 200);
  assert.equal(await begun.status(), 200);
});

test("a POST that an endpoint may have acted on is not repeated", async (t) => {
  const begun = await begin(t, { request: POST });
  const first = await begun.next();
  await eventually(() => first.ended);
  fail(first, "upstream-reset", "silent");
  assert.equal(await begun.status(), 503);
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.flag, record.attempts], ["UR", 1]);
});

test("a body that is too large to be kept is not repeated", async (t) => {
  const body = "x".repeat(20_000);
  const request = `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const begun = await begin(t, { request });
  const first = await begun.next();
  await eventually(() => first.ended);
  answer(first, 500);
  assert.equal(await begun.status(), 500);
  assert.deepEqual(begun.rig.counts.retries, []);
});

test("nothing is kept of a body that is announced to be too large", async (t) => {
  const begun = await begin(t, { request: "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\nhello" });
  const first = await begun.next();
  await eventually(() => first.content === "hello");
  assert.equal(begun.rig.kept.bytes, 0);
  begun.client.reset();
  await recordOf(begun.rig);
});

test("a GET whose connection is lost is retried, on another connection", async (t) => {
  const begun = await begin(t);
  fail(await begun.next(), "upstream-reset", "silent");
  fail(await begun.next(), "upstream-closed", "begun");
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
  assert.equal((await recordOf(begun.rig)).attempts, 3);
  assert.deepEqual(begun.upstream.asked, ["any", "fresh", "fresh"]);
});

test("nothing is retried once the head of the answer went to the client", async (t) => {
  const begun = await begin(t);
  const first = await begun.next();
  first.begin(toResponseHead({ status: 200, headers: [["date", "x"]] }, 5), "length");
  first.piece("he");
  fail(first, "upstream-reset", "begun");
  await begun.client.signal.require(() => begun.client.state !== "open", 2000, "the end");
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.status, record.flag, record.attempts], [200, "UR", 1]);
});

test("the last fault is told when the attempts are used up", async (t) => {
  const begun = await begin(t, { retry: { attempts: 1 } });
  fail(await begun.next(), "upstream-reset", "silent");
  fail(await begun.next(), "upstream-closed", "silent");
  assert.equal(await begun.status(), 503);
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.flag, record.details], ["URX", "upstream-closed"]);
});

test("each try has its time, and all together have theirs", async (t) => {
  const begun = await begin(t, { retry: { on: ["timeout"] }, rule: { requestTimeout: 1000, backendTimeout: 300 } });
  const first = await begun.next();
  begun.rig.advance(320);
  assert.deepEqual([first.cancelled, first.late], [1, true]);
  const second = await begun.next();
  begun.rig.advance(320);
  assert.equal(second.cancelled, 1);
  const third = await begun.next();
  begun.rig.advance(320);
  assert.equal(third.cancelled, 1);
  assert.equal(await begun.status(), 504);
  assert.equal((await recordOf(begun.rig)).attempts, 3);
});

test("a try whose time is over while it waits for another connection leaves the line", async (t) => {
  const begun = await begin(t, { retry: { on: ["timeout"] }, rule: { backendTimeout: 300 } });
  const first = await begun.next();
  begun.upstream.hold = true;
  fail(first, "upstream-refused", "unseen");
  assert.equal(begun.upstream.waiting, 1);
  begun.rig.advance(320);
  assert.equal(begun.upstream.waiting, 0);
  begun.rig.advance(40);
  assert.equal(begun.upstream.waiting, 1);
  begun.upstream.release();
  answer(await begun.upstream.next(), 200);
  assert.equal(await begun.status(), 200);
});

test("the time of a request ends it in the middle of a wait", async (t) => {
  const retry = { backoff: { least: 5000, base: 5000, max: 5000 } };
  const begun = await begin(t, { retry, rule: { requestTimeout: 200 } });
  answer(await begun.next(), 500);
  begun.rig.advance(220);
  assert.equal(await begun.status(), 504);
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.flag, record.attempts], ["UT", 1]);
  assert.equal(begun.upstream.retries.active, 0);
});

test("a client that leaves in the middle of a wait leaves nothing behind", async (t) => {
  const begun = await begin(t);
  answer(await begun.next(), 500);
  begun.client.reset();
  const record = await recordOf(begun.rig);
  assert.equal(record.flag, "DC");
  assert.equal(begun.upstream.retries.active, 0);
});

test("a call whose status comes in its head is retried by the words of gRPC", async (t) => {
  const begun = await begin(t, { retry: { on: ["unavailable"], statuses: [] } });
  const head = toResponseHead(
    {
      status: 200,
      headers: [
        ["date", "x"],
        ["grpc-status", "14"],
      ],
    },
    0,
  );
  (await begun.next()).answer(head, "none", []);
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
});

test("requests for other protocols are retried only where no connection came up", async (t) => {
  const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n";
  const begun = await begin(t, { request, retry: { on: ["connect-failure", "reset", "5xx"] } });
  fail(await begun.next(), "connect-timeout", "unseen");
  answer(await begun.next(), 500);
  assert.equal(await begun.status(), 500);
  assert.equal((await recordOf(begun.rig)).attempts, 2);
});

test("an upgrade that an endpoint may have seen is not repeated", async (t) => {
  const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n";
  const begun = await begin(t, { request });
  fail(await begun.next(), "upstream-reset", "silent");
  assert.equal(await begun.status(), 503);
  assert.equal((await recordOf(begun.rig)).attempts, 1);
});

test("a PUT whose body is not there any more is not repeated", async (t) => {
  const body = "x".repeat(20_000);
  const begun = await begin(t, { request: `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n${body}` });
  const first = await begun.next();
  await eventually(() => first.ended);
  fail(first, "upstream-reset", "silent");
  assert.equal(await begun.status(), 503);
  assert.equal((await recordOf(begun.rig)).attempts, 1);
});

test("the time of a try does not go on in the wait behind it", async (t) => {
  const retry = { backoff: { least: 1000, base: 1000, max: 1000 } };
  const begun = await begin(t, { retry, rule: { backendTimeout: 300 } });
  answer(await begun.next(), 500);
  begun.rig.advance(400);
  assert.equal(begun.rig.records.length, 0);
  begun.rig.advance(640);
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
});

test("an endpoint that could not be reached is avoided by the next try alone", async (t) => {
  const begun = await begin(t);
  fail(await begun.next(), "connect-failure", "unseen");
  answer(await begun.next(), 500);
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
  assert.equal(begun.upstream.avoided.length, 1);
});
