/** What an HTTP/2 server does within its limits and windows, and how it takes leave. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { ErrorCode, Flag, frameHeader, FrameType, PREFACE, word } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig, type Http2Rig } from "./rig.ts";

const ok = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);
const { GOAWAY, RST_STREAM, HEADERS, DATA, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION } = FrameType;

/** No stream is left, and no exchange but in the pool. */
async function idle(rig: Http2Rig): Promise<void> {
  await eventually(() => rig.servers.every(({ streams }) => streams.size === 0), { what: "no streams" });
}

test("HTTP/2 server: more streams than allowed are refused, and cost no exchange", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http2: { maxConcurrentStreams: 2 } });
  const client = await rig.client();
  for (const stream of [1, 3, 5]) client.request(stream);
  assert.equal(await client.code(RST_STREAM, 5), ErrorCode.REFUSED_STREAM);
  for (let i = 0; i < 2; i++) (await upstream.next()).answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1) && client.ended(3));
  assert.equal(rig.records.length, 2);
});

test("HTTP/2 server: a body is sent within the windows, and END_STREAM goes with its last byte", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const settings = frameHeader(6, SETTINGS, 0, 0) + `\0\x04${word(10)}`;
  const client = await rig.client(PREFACE + settings);
  client.request(1);
  const stream = await upstream.next();
  const head = toResponseHead({ status: 200, headers: [["date", "x"]] }, 30);
  stream.answer(head, "length", ["a".repeat(30)]);
  await eventually(() => client.content(1).length === 10);
  await client.settle();
  assert.equal(client.content(1).length, 10);
  client.window(1, 5);
  await eventually(() => client.content(1).length === 15);
  // a smaller initial window makes that of the stream negative
  client.frame(SETTINGS, 0, 0, `\0\x04${word(0)}`);
  client.window(1, 10);
  await client.settle();
  assert.equal(client.content(1).length, 15);
  client.window(1, 100);
  await eventually(() => client.ended(1));
  assert.equal(client.content(1).length, 30);
  const last = client.frames.findLast(({ type }) => type === DATA);
  assert.ok((last?.payload.length ?? 0) > 0, "an empty DATA frame at the end");
});

test("HTTP/2 server: a stream that is not taken stops at its window, others go on", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST");
  const slow = await upstream.next();
  slow.full = true;
  for (let i = 0; i < 4; i++) client.data(1, "x".repeat(16_000));
  await client.settle();
  assert.equal(client.seen(WINDOW_UPDATE, 1), undefined);
  client.request(3, "POST");
  const quick = await upstream.next();
  client.data(3, "hello", true);
  await eventually(() => quick.ended);
  client.data(1, "x".repeat(10_000));
  assert.equal(await client.code(RST_STREAM, 1), ErrorCode.FLOW_CONTROL_ERROR);
  quick.answer(ok(), "length", ["hello"]);
  await idle(rig);
});

test("HTTP/2 server: an early answer is followed by a reset without an error", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST");
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1));
  client.data(1, "more");
  await client.settle();
  rig.advance(2500);
  assert.equal(await client.code(RST_STREAM, 1), ErrorCode.NO_ERROR);
  await idle(rig);
});

test("HTTP/2 server: who is drained finishes what was begun, and is told which that was", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1);
  const stream = await upstream.next();
  rig.servers[0]?.drain();
  const first = await client.expect(GOAWAY);
  assert.equal(first.payload.readUInt32BE(0), 2 ** 31 - 1);
  client.request(3);
  const second = await upstream.next();
  const ping = await client.expect(PING);
  client.frame(PING, Flag.ACK, 0, ping.payload.toString("latin1"));
  await eventually(() => client.frames.some(({ type, payload }) => type === GOAWAY && payload.readUInt32BE(0) === 3));
  client.request(5);
  stream.answer(ok(), "length", ["hello"]);
  second.answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1) && client.ended(3) && client.socket.readableEnded);
  assert.equal(rig.records.length, 2);
});

test("HTTP/2 server: an idle connection ends in time, and holds no configuration", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http: { idleTimeout: 60_000 } });
  const client = await rig.client();
  client.acknowledge();
  client.request(1);
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1));
  await client.settle();
  rig.advance(59_000);
  await client.settle();
  rig.advance(61_000);
  assert.equal(await client.code(GOAWAY), ErrorCode.NO_ERROR);
});

test("HTTP/2 server: SETTINGS that are not acknowledged, and heads that do not go on, have a time limit", async (t) => {
  for (const [acknowledges, code] of [
    [false, ErrorCode.SETTINGS_TIMEOUT],
    [true, ErrorCode.PROTOCOL_ERROR],
  ] as const) {
    const rig = await openHttp2Rig(t, { cluster: new HandUpstream() });
    const client = await rig.client();
    if (acknowledges) client.acknowledge();
    await client.settle();
    client.frame(HEADERS, Flag.END_STREAM, 1);
    client.frame(CONTINUATION, 0, 1, "\x82");
    client.raw("\0");
    await eventually(() => rig.servers[0]?.acknowledged === acknowledges);
    await setImmediate();
    rig.advance(11_000);
    assert.equal(await client.code(GOAWAY), code);
  }
});

test("HTTP/2 server: a window that stays shut ends the stream", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http: { streamIdleTimeout: 30_000 } });
  const client = await rig.client(PREFACE + frameHeader(6, SETTINGS, 0, 0) + `\0\x04${word(0)}`);
  client.acknowledge();
  client.request(1);
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  await client.expect(HEADERS, 1);
  rig.advance(32_000);
  assert.equal(await client.code(RST_STREAM, 1), ErrorCode.CANCEL);
  await idle(rig);
});

test("HTTP/2 server: a reset cancels the request", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST");
  const stream = await upstream.next();
  client.reset(1);
  await eventually(() => stream.cancelled === 1);
  assert.equal(rig.records[0]?.flag, "DC");
  await idle(rig);
});

test("HTTP/2 server: extended CONNECT is a tunnel whose halves end one after the other", async (t) => {
  for (const first of ["client", "server"]) {
    const upstream = new HandUpstream();
    const rig = await openHttp2Rig(t, { cluster: upstream });
    const client = await rig.client();
    client.frame(HEADERS, Flag.END_HEADERS, 1, client.connectBlock("websocket", "/chat"));
    const stream = await upstream.next();
    assert.deepEqual([stream.head?.upgrade, stream.head?.path, stream.framing], ["websocket", "/chat", "none"]);
    const head = toResponseHead({ status: 101, headers: [["date", "x"]] }, 0);
    head.upgrade = "websocket";
    // the request is complete, its tunnel is not
    stream.ended = false;
    stream.begin(head, "tunnel");
    assert.equal((await client.expect(HEADERS, 1)).fields.get(":status"), "200");
    client.data(1, "ping");
    await eventually(() => stream.content.endsWith("ping"));
    stream.piece("pong");
    await eventually(() => client.content(1) === "pong");
    const endings = [
      async () => {
        client.data(1, "", true);
        await client.settle();
      },
      async () => {
        stream.receiver?.onAnswerEnd("");
        await eventually(() => client.ended(1));
      },
    ];
    for (const end of first === "client" ? endings : endings.toReversed()) await end();
    await idle(rig);
    assert.equal(rig.records.length, 1);
  }
});

test("HTTP/2 server: under pressure it takes leave of its clients", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  rig.pressure.stopKeepAlive = true;
  const client = await rig.client();
  client.request(1);
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1));
  assert.equal(await client.code(GOAWAY), ErrorCode.NO_ERROR);
});
