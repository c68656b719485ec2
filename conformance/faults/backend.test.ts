// A backend that fails in every way a backend can: the client is told, and the next request is none the worse.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { RawClient } from "@sallyport/testkit/raw-client";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import type { AnswerStep } from "@sallyport/testkit/raw-upstream";
import { head } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import { ask, outcomeOf, PATIENCE, plain } from "./asking.ts";

const rig = await openRig(2);
const [slot, other] = rig.slots;
assert.ok(slot && other);
const { port, upstream } = slot;

beforeEach(() => {
  upstream.begin(() => plain());
  other.upstream.begin(() => plain("other"));
});

after(async () => {
  const epitaph = rig.system?.epitaph();
  await rig.close();
  assert.equal(epitaph, undefined);
});

/** The first request is answered with these steps, the others properly. */
function failOnce(...steps: readonly AnswerStep[]): void {
  upstream.begin((_request, index) => (index === 0 ? { when: "complete", steps } : plain()));
}

/** A POST is never sent twice, so each fault shows. */
const POST = `${head("POST / HTTP/1.1", "Content-Length: 2")}hi`;

async function assertServesOn(): Promise<void> {
  const next = await ask(port);
  assert.deepEqual([next.status, next.body], [200, "ok"]);
}

test("a backend that resets instead of answering is a 502 or 503", async () => {
  failOnce({ do: "reset" });
  const { status } = await ask(port, POST);
  assert.ok(status === 502 || status === 503, String(status));
  assert.equal(upstream.requests.length, 1, "a POST is not sent again");
  await assertServesOn();
});

test("a backend that resets in the middle of its body cuts the response visibly", async () => {
  failOnce("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", { pause: 20 }, { do: "reset" });
  const { status, complete, state } = await ask(port, POST);
  assert.deepEqual([status, complete], [200, false]);
  assert.notEqual(state, "open");
  await assertServesOn();
});

test("a backend that answers garbage is a 502", async () => {
  failOnce("\x16\x03\x01 this is not HTTP\r\n\r\n");
  assert.equal((await ask(port, POST)).status, 502);
  await assertServesOn();
});

test("a backend that half closes before it answers still has its answer relayed", async () => {
  failOnce({ do: "end" });
  const { status } = await ask(port, POST);
  assert.ok(status === 502 || status === 503, String(status));
  await assertServesOn();
});

test("a backend that half closes behind its answer is not sent another request on that connection", async () => {
  failOnce("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", { do: "end" });
  assert.equal((await ask(port, POST)).status, 200);
  for (let turn = 0; turn < 5; turn += 1) assert.equal((await ask(port, POST)).status, 200);
  const [first] = upstream.requests;
  assert.equal(upstream.requests.filter(({ connection }) => connection === first?.connection).length, 1);
});

test("a backend that ends idle connections costs no request an answer", async () => {
  upstream.begin(() => ({
    when: "complete",
    steps: ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", { do: "end" }],
  }));
  for (let turn = 0; turn < 50; turn += 1) assert.equal((await ask(port)).status, 200, `request ${turn}`);
});

test("a backend that stops reading holds the client back, and nothing piles up in between", async () => {
  upstream.begin(() => ({ when: "head", steps: [{ do: "stop-reading" }] }));
  const total = 64 * 1024 * 1024;
  const client = await RawClient.open({ port });
  await client.send(head("POST /upload HTTP/1.1", `Content-Length: ${total}`));
  await upstream.signal.require(() => upstream.requests.length === 1, PATIENCE, "the request");
  let sent = 0;
  const block = "x".repeat(64 * 1024);
  for (let stalled = false; !stalled && sent < total;) {
    stalled = !(await Promise.race([client.send(block).then(() => true), client.signal.until(() => false, 500)]));
    sent += block.length;
  }
  assert.ok(sent < 24 * 1024 * 1024, `${sent} bytes were taken although the backend read nothing`);
  assert.equal((await ask(other.port)).body, "other", "other backends are served meanwhile");
  client.close();
  upstream.begin(() => plain());
  await assertServesOn();
});

test("a backend that never answers costs its client nothing but time, and is let go when the client leaves", async () => {
  failOnce({ pause: 20_000 });
  const client = await RawClient.open({ port });
  await client.send(head("GET / HTTP/1.1"));
  await upstream.signal.require(() => upstream.requests.length === 1, PATIENCE, "the request");
  const connection = upstream.requests[0]?.connection;
  assert.equal((await ask(port)).status, 200, "the next request takes another connection");
  client.reset();
  await upstream.signal.require(() => connection?.ended === true || connection?.closed === true, PATIENCE, "the end");
});

test("a backend that sends without end to a client that stopped reading is stopped too", async () => {
  const block = "y".repeat(256 * 1024);
  const blocks = 200;
  failOnce(
    `HTTP/1.1 200 OK\r\nContent-Length: ${block.length * blocks}\r\n\r\n`,
    ...Array.from({ length: blocks }, () => block),
  );
  const client = await RawClient.open({ port, paused: true });
  await client.send(head("GET /large HTTP/1.1"));
  await upstream.signal.require(() => upstream.requests.length === 1, PATIENCE, "the request");
  const socket = upstream.requests[0]?.connection.socket;
  assert.ok(socket);
  // What the kernel and the gateway do not take stays with the backend.
  let before = -1;
  while (socket.bytesWritten - socket.writableLength !== before) {
    before = socket.bytesWritten - socket.writableLength;
    await client.signal.until(() => false, 300);
  }
  assert.ok(socket.writableLength > 24 * 1024 * 1024, `only ${socket.writableLength} bytes were held back`);
  assert.equal((await ask(other.port)).body, "other", "other clients are served meanwhile");
  client.socket.resume();
  await client.signal.require(() => client.responses[0]?.complete === true, 30_000, "the rest");
  assert.equal(outcomeOf(client).body.length, block.length * blocks);
  client.close();
});

test("a backend that refuses connections is a 503, and is served again once it is back", async () => {
  const backendPort = other.upstream.port;
  await other.upstream.refuse();
  const refused = await ask(other.port);
  assert.equal(refused.status, 503);
  assert.equal((await ask(port)).status, 200, "other backends are served meanwhile");
  const back = await RawUpstream.open(() => plain("back"), backendPort);
  try {
    const again = await ask(other.port);
    assert.deepEqual([again.status, again.body], [200, "back"]);
  } finally {
    await back.close();
  }
});
