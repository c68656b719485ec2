/** What an HTTP/2 server does with frames that are not as they should be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { ErrorCode, errorName, Flag, frameHeader, FrameType, word } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import type { SeenRecord } from "../http1/seen-record.ts";
import type { FrameClient } from "./frame-client.ts";
import { openHttp2Rig, type Http2Rig } from "./rig.ts";

const ok = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);
const { GOAWAY, RST_STREAM, HEADERS, DATA, SETTINGS, PING, CONTINUATION, PRIORITY } = FrameType;

type Step = (client: FrameClient) => void;

/** Frames that end the connection, and with which code. */
const FATAL: readonly (readonly [string, Step, number])[] = [
  ["SETTINGS with ACK and a payload", (c) => c.frame(SETTINGS, 1, 0, "123456"), ErrorCode.FRAME_SIZE_ERROR],
  ["SETTINGS of 5 bytes", (c) => c.frame(SETTINGS, 0, 0, "12345"), ErrorCode.FRAME_SIZE_ERROR],
  ["SETTINGS on a stream", (c) => c.frame(SETTINGS, 0, 1), ErrorCode.PROTOCOL_ERROR],
  ["ENABLE_PUSH 2", (c) => c.frame(SETTINGS, 0, 0, `\0\x02${word(2)}`), ErrorCode.PROTOCOL_ERROR],
  ["INITIAL_WINDOW_SIZE 2^31", (c) => c.frame(SETTINGS, 0, 0, `\0\x04${word(2 ** 31)}`), ErrorCode.FLOW_CONTROL_ERROR],
  ["MAX_FRAME_SIZE 1", (c) => c.frame(SETTINGS, 0, 0, `\0\x05${word(1)}`), ErrorCode.PROTOCOL_ERROR],
  ["PING of 7 bytes", (c) => c.frame(PING, 0, 0, "1234567"), ErrorCode.FRAME_SIZE_ERROR],
  ["a frame beyond 16384", (c) => c.raw(frameHeader(16_385, DATA, 0, 1)), ErrorCode.FRAME_SIZE_ERROR],
  ["DATA on an idle stream", (c) => c.data(1, "x"), ErrorCode.PROTOCOL_ERROR],
  ["RST_STREAM on an idle stream", (c) => c.reset(1), ErrorCode.PROTOCOL_ERROR],
  ["WINDOW_UPDATE on an idle stream", (c) => c.window(1, 1), ErrorCode.PROTOCOL_ERROR],
  ["WINDOW_UPDATE of 0", (c) => c.window(0, 0), ErrorCode.PROTOCOL_ERROR],
  ["a connection window beyond 2^31-1", (c) => c.window(0, 2 ** 31 - 1), ErrorCode.FLOW_CONTROL_ERROR],
  ["HEADERS on an even stream", (c) => c.request(2), ErrorCode.PROTOCOL_ERROR],
  ["HEADERS on stream 0", (c) => c.frame(HEADERS, 5, 0, c.block("GET", "/")), ErrorCode.PROTOCOL_ERROR],
  ["CONTINUATION behind nothing", (c) => c.frame(CONTINUATION, 4, 1), ErrorCode.PROTOCOL_ERROR],
  [
    "PING inside a header block",
    (c) => (c.frame(HEADERS, 1, 1), c.frame(PING, 0, 0, "12345678")),
    ErrorCode.PROTOCOL_ERROR,
  ],
  [
    "an unknown frame inside a header block",
    (c) => (c.frame(HEADERS, 1, 1), c.frame(99, 0, 1)),
    ErrorCode.PROTOCOL_ERROR,
  ],
  ["PUSH_PROMISE", (c) => c.frame(FrameType.PUSH_PROMISE, 4, 1, word(2)), ErrorCode.PROTOCOL_ERROR],
  [
    "a block that HPACK cannot read",
    (c) => c.frame(HEADERS, 5, 1, "\xff\xff\xff\xff\xff\xff"),
    ErrorCode.COMPRESSION_ERROR,
  ],
  ["padding beyond HEADERS", (c) => c.frame(HEADERS, Flag.PADDED | 5, 1, "\x09\x82"), ErrorCode.PROTOCOL_ERROR],
  ["PRIORITY on itself, idle", (c) => c.frame(PRIORITY, 0, 1, `${word(1)}\0`), ErrorCode.PROTOCOL_ERROR],
  ["VU421644: endless CONTINUATION", floodContinuation, ErrorCode.ENHANCE_YOUR_CALM],
  [
    "CVE-2019-9512: endless PING",
    (c) => repeat(1100, () => c.frame(PING, 0, 0, "12345678")),
    ErrorCode.ENHANCE_YOUR_CALM,
  ],
  ["CVE-2019-9515: endless SETTINGS", (c) => repeat(600, () => c.frame(SETTINGS, 0, 0)), ErrorCode.ENHANCE_YOUR_CALM],
  [
    "CVE-2019-9513: endless PRIORITY",
    (c) => repeat(1100, () => c.frame(PRIORITY, 0, 1, `${word(3)}\0`)),
    ErrorCode.ENHANCE_YOUR_CALM,
  ],
  ["CVE-2019-9518: endless empty DATA", floodEmptyData, ErrorCode.ENHANCE_YOUR_CALM],
  ["CVE-2019-9518: endless DATA of padding alone", floodPadding, ErrorCode.ENHANCE_YOUR_CALM],
  ["CVE-2023-44487: rapid reset", floodResets, ErrorCode.ENHANCE_YOUR_CALM],
  ["CVE-2025-8671: resets provoked by WINDOW_UPDATE", floodProvoked, ErrorCode.ENHANCE_YOUR_CALM],
];

function repeat(count: number, run: (index: number) => void): void {
  for (let i = 0; i < count; i++) run(i);
}

function floodContinuation(client: FrameClient): void {
  client.frame(HEADERS, Flag.END_STREAM, 1);
  repeat(40, () => client.frame(CONTINUATION, 0, 1));
}

function floodEmptyData(client: FrameClient): void {
  client.request(1, "POST");
  repeat(1100, () => client.data(1, ""));
}

function floodPadding(client: FrameClient): void {
  client.request(1, "POST");
  repeat(1100, () => client.frame(FrameType.DATA, Flag.PADDED, 1, "\0"));
}

function floodResets(client: FrameClient): void {
  repeat(300, (i) => {
    client.request(2 * i + 1);
    client.reset(2 * i + 1);
  });
}

function floodProvoked(client: FrameClient): void {
  repeat(300, (i) => {
    client.request(2 * i + 1);
    client.window(2 * i + 1, 0);
  });
}

for (const [what, step, code] of FATAL)
  test(`HTTP/2 server: ${what} ends the connection`, async (t) => {
    const rig = await openHttp2Rig(t, { cluster: new HandUpstream() });
    const client = await rig.client();
    await client.expect(SETTINGS);
    step(client);
    assert.equal(await client.code(GOAWAY), code);
    await eventually(() => client.socket.readableEnded, { what: "FIN" });
    // nothing was answered, and the access log says why
    const why = (): SeenRecord | undefined => rig.records.find((one) => one.details.startsWith(`${errorName(code)}: `));
    const record = await eventually(why);
    assert.deepEqual([record.protocol, record.status, record.flag], ["HTTP/2", 0, "DPE"]);
    assert.equal(rig.servers[0]?.streams.size, 0);
  });

test("HTTP/2 server: a preface that is another ends the connection", async (t) => {
  const rig = await openHttp2Rig(t, { cluster: new HandUpstream() });
  const client = await rig.client("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  assert.equal(await client.code(GOAWAY), ErrorCode.PROTOCOL_ERROR);
});

/** Frames that end one stream, which is a POST, and with which code. */
const STREAM_ERRORS: readonly (readonly [string, Step, number])[] = [
  ["WINDOW_UPDATE of 0", (c) => c.window(1, 0), ErrorCode.PROTOCOL_ERROR],
  ["a window beyond 2^31-1", (c) => c.window(1, 2 ** 31 - 1), ErrorCode.FLOW_CONTROL_ERROR],
  ["PRIORITY on itself", (c) => c.frame(PRIORITY, 0, 1, `${word(1)}\0`), ErrorCode.PROTOCOL_ERROR],
  ["PRIORITY of 4 bytes", (c) => c.frame(PRIORITY, 0, 1, word(3)), ErrorCode.FRAME_SIZE_ERROR],
  ["more than Content-Length", (c) => c.data(1, "12345678901"), ErrorCode.PROTOCOL_ERROR],
  ["less than Content-Length", (c) => c.data(1, "123", true), ErrorCode.PROTOCOL_ERROR],
  ["trailers that do not end it", (c) => c.frame(HEADERS, 4, 1, "\0\x01a\x01b"), ErrorCode.PROTOCOL_ERROR],
  ["DATA behind its end", (c) => (c.data(1, "1234567890", true), c.data(1, "x")), ErrorCode.STREAM_CLOSED],
];

for (const [what, step, code] of STREAM_ERRORS)
  test(`HTTP/2 server: ${what} resets the stream, and others go on`, async (t) => {
    const upstream = new HandUpstream();
    const rig = await openHttp2Rig(t, { cluster: upstream });
    const client = await rig.client();
    client.request(1, "POST", "content-length: 10\r\n");
    await upstream.next();
    step(client);
    assert.equal(await client.code(RST_STREAM, 1), code);
    const record = await eventually(() => rig.records[0]);
    assert.deepEqual([record.flag, record.status], ["DPE", 0]);
    assert.match(record.details, new RegExp(`^${errorName(code)}: .`));
    client.request(3);
    (await upstream.next()).answer(ok(), "length", ["hello"]);
    await eventually(() => client.ended(3));
    assert.equal(client.content(3), "hello");
    await idle(rig);
  });

/** No stream is left, and no exchange but in the pool. */
async function idle(rig: Http2Rig): Promise<void> {
  await eventually(() => rig.servers.every(({ streams }) => streams.size === 0), { what: "no streams" });
}
