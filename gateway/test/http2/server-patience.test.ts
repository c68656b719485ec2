/** Whom an HTTP/2 server waits for: slow bodies have the time of bodies, and streams that come too late end nobody else's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { ErrorCode, Flag, frameHeader, FrameType, word } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

const ok = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);
const { GOAWAY, HEADERS, DATA, PING, RST_STREAM, WINDOW_UPDATE } = FrameType;

test("HTTP/2 server: an upload may take long, however its frames are split", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http: { headTimeout: 10_000, bodyIdleTimeout: 30_000 } });
  const client = await rig.client();
  client.acknowledge();
  client.request(1, "POST");
  const stream = await upstream.next();
  // every read ends in the middle of a frame
  client.raw(`${frameHeader(1000, DATA, 0, 1)}a`);
  await eventually(() => stream.content.length === 1);
  for (let i = 1; i <= 20; i++) {
    rig.advance(5000);
    client.raw(`${"a".repeat(999)}${frameHeader(1000, DATA, 0, 1)}a`);
    await eventually(() => stream.content.length === 1000 * i + 1);
  }
  client.raw("a".repeat(999));
  client.data(1, "", true);
  await eventually(() => stream.ended);
  stream.answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1));
  assert.equal(client.seen(GOAWAY), undefined);
});

test("HTTP/2 server: frames of streams that came behind its GOAWAY end no other stream", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.acknowledge();
  client.request(1);
  const stream = await upstream.next();
  rig.servers[0]?.drain();
  await client.expect(GOAWAY);
  client.frame(PING, Flag.ACK, 0, "sallypor");
  await eventually(() => client.frames.filter(({ type }) => type === GOAWAY).length === 2);
  client.frame(HEADERS, Flag.END_HEADERS, 3, client.block("POST", "/"));
  client.data(3, "too late");
  client.frame(WINDOW_UPDATE, 0, 3, word(5000));
  client.reset(3);
  await client.settle();
  stream.answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1) && client.closed);
  assert.equal(client.content(1), "hello");
  assert.ok(client.frames.every(({ type }) => type !== RST_STREAM));
  const codes = client.frames.filter(({ type }) => type === GOAWAY).map(({ payload }) => payload.readUInt32BE(4));
  assert.deepEqual(codes, [ErrorCode.NO_ERROR, ErrorCode.NO_ERROR]);
});

for (const what of ["was idle for too long", "broke the rules"] as const) {
  test(`HTTP/2 server: a client that ${what} is read on for a while, and not longer`, async (t) => {
    const rig = await openHttp2Rig(t, { cluster: new HandUpstream(), http: { idleTimeout: 20_000 } });
    const client = await rig.client();
    client.socket.allowHalfOpen = true;
    client.acknowledge();
    await client.settle();
    if (what === "broke the rules") client.data(0, "of no stream");
    else rig.advance(21_000);
    await client.expect(GOAWAY);
    await eventually(() => client.socket.readableEnded, { what: "FIN" });
    client.raw("more ".repeat(1000));
    assert.ok(!client.closed);
    rig.advance(2_000);
    // what comes now is answered with a reset
    await eventually(
      () => {
        client.raw("more");
        return client.closed;
      },
      { what: "the close" },
    );
  });
}
