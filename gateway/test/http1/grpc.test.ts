/** gRPC-Web over HTTP/1.1, and what gRPC calls are answered here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileCors } from "@sallyport/policies/cors";
import { GRPC_WEB } from "@sallyport/policies/grpc-web";
import { answer, fieldOf, openPair } from "./pair.ts";
import { openRig, recordOf, type RigOptions } from "./rig.ts";

const CALL =
  "POST /pkg.Service/Method HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: 7\r\n";
const MESSAGE = "\0\0\0\0\x02hi";
const HEAD = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: application/grpc+proto\r\n";
const ANSWER = `${HEAD}Trailer: grpc-status\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n${MESSAGE}\r\n0\r\ngrpc-status: 0\r\nGrpc-Message: fine\r\n\r\n`;
const TRAILERS = "grpc-status: 0\r\ngrpc-message: fine\r\n";
const FRAME = `\x80\0\0\0${String.fromCharCode(TRAILERS.length)}${TRAILERS}`;
const WEB: RigOptions = { rule: { filters: [GRPC_WEB] } };

test("a call goes upstream as gRPC and its trailers come back as the last frame", async (t) => {
  const { rig, upstream } = await openPair(t, answer(ANSWER), WEB);
  const client = await rig.client();
  // the second one takes the way that was remembered with the head
  await client.send(`${CALL}\r\n${MESSAGE}`.repeat(2));
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  for (const response of client.responses) {
    assert.equal(response.body, MESSAGE + FRAME);
    assert.deepEqual(response.trailers, []);
  }
  assert.equal(fieldOf(client.received, "content-type"), "application/grpc-web+proto");
  const sent = upstream.connections[0]?.received ?? "";
  assert.match(sent, /\r\ncontent-type: application\/grpc\+proto\r\n[^]*connection: te\r\nte: trailers\r\n/);
  assert.doesNotMatch(sent, /grpc-web/);
  const record = await recordOf(rig, 1);
  assert.deepEqual([record.isGrpc, record.grpcStatus, record.bytesSent], [true, "0", MESSAGE.length + FRAME.length]);
});

test("an answer with a length becomes one without, for it gets longer", async (t) => {
  const { rig } = await openPair(t, answer(`${HEAD}Content-Length: 7\r\n\r\n${MESSAGE}`), WEB);
  const client = await rig.client();
  await client.send(`${CALL}\r\n${MESSAGE}`);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.body, `${MESSAGE}\x80\0\0\0\0`);
  assert.equal(fieldOf(client.received, "content-length"), undefined);
});

test("a call that fails at once keeps its status in the head, where scripts may read it", async (t) => {
  const cors = compileCors({
    kind: "cors",
    allowOrigins: ["https://a.example"],
    allowCredentials: false,
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: [],
    maxAgeSeconds: 5,
  });
  const { rig } = await openPair(t, answer(`${HEAD}grpc-status: 5\r\nContent-Length: 0\r\n\r\n`), {
    rule: { filters: [GRPC_WEB, cors] },
  });
  const client = await rig.client();
  await client.send(`${CALL}Origin: https://a.example\r\n\r\n${MESSAGE}`);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.body, "");
  assert.equal(fieldOf(client.received, "grpc-status"), "5");
  assert.match(fieldOf(client.received, "access-control-expose-headers") ?? "", /grpc-status/);
  assert.equal((await recordOf(rig)).grpcStatus, "5");
});

test("a page of another server passes as it is", async (t) => {
  const page = "HTTP/1.1 502 Bad Gateway\r\nDate: x\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno";
  const { rig } = await openPair(t, answer(page), WEB);
  const client = await rig.client();
  await client.send(`${CALL}\r\n${MESSAGE}`);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.deepEqual([client.responses[0]?.status, client.responses[0]?.body], [502, "no"]);
});

test("a call that is cut looks cut", async (t) => {
  const half = `${HEAD}Transfer-Encoding: chunked\r\n\r\n7\r\n${MESSAGE}\r\n`;
  const { rig } = await openPair(t, answer(half, { do: "reset" }), WEB);
  const received = await rig.exchange(`${CALL}\r\n${MESSAGE}`);
  assert.doesNotMatch(received, /\x80/);
  assert.doesNotMatch(received, /\r\n0\r\n/);
});

test("faults are statuses of gRPC, and the log has both", async (t) => {
  const rig = await openRig(t, WEB);
  rig.cluster.refuseWith = "no-endpoints";
  const client = await rig.client();
  await client.send(`${CALL}\r\n${MESSAGE}`);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.deepEqual([client.responses[0]?.status, client.responses[0]?.body], [200, ""]);
  assert.equal(fieldOf(client.received, "content-type"), "application/grpc-web");
  assert.equal(fieldOf(client.received, "grpc-status"), "14");
  assert.equal(fieldOf(client.received, "grpc-message"), "503 Service Unavailable (no-endpoints)");
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag, record.grpcStatus], [200, "UH", "14"]);
});

test("the deadline of a call holds, and the rule's where that is before it", async (t) => {
  for (const [requestTimeout, timeout, limit] of [
    [0, "2S", 2000],
    [8000, "2S", 2000],
    [1000, "2S", 1000],
    [1000, "2", 1000],
  ] as const) {
    const { rig, upstream } = await openPair(t, () => ({ when: "head", steps: [] }), {
      rule: { filters: [GRPC_WEB], requestTimeout },
    });
    const client = await rig.client();
    await client.send(`${CALL}grpc-timeout: ${timeout}\r\n\r\n${MESSAGE}`);
    await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the call");
    assert.match(upstream.connections[0]?.received ?? "", /\r\ngrpc-timeout: /);
    rig.advance(limit - 500);
    assert.equal(client.received, "");
    rig.advance(600);
    await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
    assert.equal(fieldOf(client.received, "grpc-status"), "4");
    assert.equal((await recordOf(rig)).flag, "UT");
  }
});

test("what is no call is told of statuses of HTTP, whatever timeout it names", async (t) => {
  const { rig, upstream } = await openPair(t, () => ({ when: "head", steps: [] }), WEB);
  const client = await rig.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\ngrpc-timeout: 1S\r\n\r\n");
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(5000);
  assert.equal(client.received, "");
});
