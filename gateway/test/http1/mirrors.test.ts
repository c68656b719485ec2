/** Copies of requests that go to another cluster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Filter } from "@sallyport/policies/filter";
import { eventually } from "@sallyport/testkit/eventually";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { toResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { answer, OK, openPair } from "./pair.ts";
import { openRig } from "./rig.ts";

const mirror: Filter = {
  deterministic: true,
  onRequest(request) {
    request.mirrorTo("test/shadow:80");
    request.mirrorTo("test/unknown:80");
    return undefined;
  },
};
const mark: Filter = {
  deterministic: true,
  onRequest(request) {
    request.setHeader("X-Way", "a");
    return undefined;
  },
  onResponse(response) {
    response.setHeader("X-Back", "a");
  },
};

test("a mirror gets the request as it went out, with its body, and its answer is dropped", async (t) => {
  const shadow = await RawUpstream.open(answer("HTTP/1.1 500 X\r\nContent-Length: 5\r\n\r\nnever"));
  t.after(() => shadow.close());
  const { rig, upstream } = await openPair(t, answer(OK), {
    rule: { filters: [mirror, mark] },
    clusters: { "test/shadow:80": shadow.port },
  });
  const client = await rig.client();
  await client.send("POST /m HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  await client.send("3\r\nabc\r\n");
  await shadow.signal.require(() => shadow.requests[0]?.message.body === "abc", 2000, "the mirror's first chunk");
  await client.send("3\r\ndef\r\n0\r\n\r\n");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  await shadow.signal.require(() => shadow.requests[0]?.message.complete === true, 2000, "the mirror's request");
  const copy = shadow.requests[0]?.message;
  const fields = (message: typeof copy): string[] =>
    (message?.fields ?? []).map(({ name, value }) => `${name}: ${value}`).filter((line) => !line.startsWith("expect"));
  assert.deepEqual(fields(copy), fields(upstream.requests[0]?.message));
  assert.equal(copy?.body, "abcdef");
  assert.equal(client.received, `${OK.replace("\r\n\r\n", "\r\nX-Back: a\r\n\r\n")}`);
});

test("a mirror that does not read is cut and slows nothing", async (t) => {
  const shadow = await RawUpstream.open(() => ({ when: "head", steps: [{ do: "stop-reading" }] }));
  t.after(() => shadow.close());
  const { rig, upstream } = await openPair(t, answer(OK), {
    rule: { filters: [mirror] },
    clusters: { "test/shadow:80": shadow.port },
  });
  const client = await rig.client();
  const body = "x".repeat(12_000_000);
  await client.send(`POST /m HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await client.signal.require(() => client.responses.length === 1, 5000, "the answer");
  assert.equal(upstream.requests[0]?.message.body.length, body.length);
});

test("a client that leaves cuts the mirror of its unfinished request", async (t) => {
  const shadow = await RawUpstream.open(answer(OK));
  t.after(() => shadow.close());
  const { rig } = await openPair(t, answer(OK), {
    rule: { filters: [mirror] },
    clusters: { "test/shadow:80": shadow.port },
  });
  const client = await rig.client();
  await client.send("POST /m HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  await shadow.signal.require(() => shadow.requests.length === 1, 2000, "the mirror's request");
  client.reset();
  await shadow.signal.require(() => shadow.connections[0]?.ended === true, 2000, "the mirror's end");
});

test("a head that is kept with its outcome is mirrored each time", async (t) => {
  const shadow = await RawUpstream.open(answer(OK));
  t.after(() => shadow.close());
  const { rig } = await openPair(t, answer(OK), {
    rule: { filters: [mirror] },
    clusters: { "test/shadow:80": shadow.port },
  });
  const client = await rig.client();
  await client.send("GET /m HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
  await client.signal.require(() => client.responses.length === 3, 2000, "three answers");
  await shadow.signal.require(() => shadow.requests.length === 3, 2000, "three copies");
});

test("a mirror gets its one copy where the first connection for the request never came up", async (t) => {
  const shadow = await RawUpstream.open(answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
  t.after(() => shadow.close());
  const cluster = new HandUpstream();
  cluster.unreachable = 2;
  const rig = await openRig(t, {
    backend: { cluster },
    rule: { filters: [mirror] },
    clusters: { "test/shadow:80": shadow.port },
  });
  const client = await rig.client();
  await client.send("GET /m HTTP/1.1\r\nHost: x\r\n\r\n");
  const stream = await eventually(async () => {
    const next = await cluster.next();
    return next.head === undefined ? undefined : next;
  });
  stream.answer(toResponseHead({ status: 200, headers: [["date", "x"]] }, 2), "length", ["ok"]);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  await shadow.signal.require(() => shadow.connections[0]?.ended === true, 2000, "the end of the copy");
  assert.equal(shadow.requests.length, 1);
});
