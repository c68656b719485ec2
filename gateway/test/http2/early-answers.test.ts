/** What becomes of a request that is answered before it was sent whole, and of the client that goes on sending it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { test, type TestContext } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { ErrorCode, frameHeader, FrameType, PREFACE, word } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import type { FrameClient } from "./frame-client.ts";
import { openHttp2Rig, type Http2Rig } from "./rig.ts";

const { RST_STREAM, SETTINGS, WINDOW_UPDATE } = FrameType;
const PIECE = "x".repeat(16_000);
const ok = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);

/** A POST that was answered at once. */
async function answered(t: TestContext, preface?: string): Promise<{ rig: Http2Rig; client: FrameClient }> {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client(preface);
  client.request(1, "POST");
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  return { rig, client };
}

/** What a client may have sent of a stream. */
function windowOf(client: FrameClient, stream: number, initial = 65_536): number {
  const updates = client.frames.filter((frame) => frame.type === WINDOW_UPDATE && frame.stream === stream);
  return updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), initial);
}

/** Sends pieces as windows allow, until this says to stop; so many bytes were sent before. */
async function upload(client: FrameClient, until: (sent: number) => boolean, before = 0): Promise<number> {
  let sent = before;
  while (!until(sent)) {
    await eventually(() => until(sent) || windowOf(client, 1) >= sent + PIECE.length, { what: "a window" });
    if (until(sent)) break;
    client.data(1, PIECE);
    sent += PIECE.length;
  }
  return sent;
}

test("HTTP/2 server: a request of moderate size is read to its end behind its answer", async (t) => {
  const { rig, client } = await answered(t);
  await eventually(() => client.ended(1));
  await upload(client, (sent) => sent >= 200_000);
  client.data(1, "end", true);
  await eventually(() => rig.servers[0]?.streams.size === 0);
  await client.settle();
  assert.equal(client.seen(RST_STREAM), undefined);
  assert.equal(client.content(1), "hello");
});

test("HTTP/2 server: the client of a large request that was answered is soon asked to stop", async (t) => {
  const { rig, client } = await answered(t);
  await eventually(() => client.ended(1));
  const sent = await upload(client, (count) => count > 1_000_000 || client.seen(RST_STREAM) !== undefined);
  assert.ok(sent > 200_000 && sent < 400_000, `${sent} bytes`);
  assert.equal(await client.code(RST_STREAM, 1), ErrorCode.NO_ERROR);
  // what was under way counts for the window of the connection alone
  for (let i = 0; i < 60; i++) client.data(1, PIECE);
  client.request(3);
  await client.settle();
  assert.ok(windowOf(client, 0, 0) > 900_000);
  assert.equal(rig.servers[0]?.streams.has(3), true);
  assert.deepEqual([rig.records.length, rig.records[0]?.status, rig.records[0]?.flag], [1, 200, "-"]);
  client.reset(3);
  await eventually(() => rig.servers[0]?.streams.size === 0);
});

test("HTTP/2 server: a client that does not take its answer cannot go on sending for ever", async (t) => {
  const { rig, client } = await answered(t, PREFACE + frameHeader(6, SETTINGS, 0, 0) + `\0\x04${word(0)}`);
  await client.expect(FrameType.HEADERS, 1);
  let total = -1;
  for (let sent = 0; sent !== total && sent < 1_000_000;) {
    total = sent;
    sent = await upload(client, (count) => count + PIECE.length > windowOf(client, 1), sent);
    await client.settle();
  }
  assert.ok(total > 200_000 && total < 400_000, `${total} bytes`);
  assert.equal(client.seen(RST_STREAM), undefined);
  client.window(1, 5);
  await eventually(() => client.ended(1));
  // END_STREAM comes first: the answer is whole
  assert.equal(await client.code(RST_STREAM, 1), ErrorCode.NO_ERROR);
  await eventually(() => rig.servers[0]?.streams.size === 0);
});

test("HTTP/2 server: what waited when the answer came is given back", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST");
  const stream = await upstream.next();
  stream.full = true;
  for (let i = 0; i < 4; i++) client.data(1, PIECE);
  await client.settle();
  assert.equal(windowOf(client, 1), 65_536);
  stream.answer(ok(), "length", ["hello"]);
  await eventually(() => windowOf(client, 1) > 100_000);
  client.data(1, "", true);
  await eventually(() => rig.servers[0]?.streams.size === 0);
});

test("HTTP/2 server: Node's client gets the answer to each of many large requests, and is not held up", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const session = connect(`http://127.0.0.1:${rig.port}`, { maxSessionMemory: 1000 });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  // no clock of the rig moves: whoever waited for the end of lingering would wait for ever
  for (let i = 0; i < 20; i++) {
    const request = session.request({ ":method": "POST", ":path": "/" });
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => (body += text));
    request.on("error", () => undefined);
    const closed = once(request, "close");
    request.end(Buffer.alloc(1_048_576));
    (await upstream.next()).answer(ok(), "length", ["hello"]);
    await closed;
    assert.deepEqual([request.rstCode, body], [0, "hello"]);
  }
  await eventually(() => rig.servers[0]?.streams.size === 0);
});
