/** Peers that confirm every small piece with WINDOW_UPDATE, as some do, are no attackers; those that open windows byte by byte are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { ErrorCode, frameHeader, FrameType, PREFACE, word } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

const { GOAWAY, SETTINGS } = FrameType;
const ok = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);

test("HTTP/2 server: a client may confirm each of many small pieces", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http2: { abuseBudget: 100 } });
  const client = await rig.client();
  client.acknowledge();
  client.request(1);
  const stream = await upstream.next();
  stream.begin(ok().withoutLength(), "stream");
  for (let i = 1; i <= 200; i++) {
    stream.piece("event");
    await eventually(() => client.content(1).length === 5 * i);
    client.window(1, 5);
    client.window(0, 5);
  }
  await client.settle();
  assert.equal(client.seen(GOAWAY), undefined);
  stream.finish();
  await eventually(() => client.ended(1));
});

test("HTTP/2 server: a window that is opened byte by byte is not paid for by what that makes us send", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http2: { abuseBudget: 100 } });
  const client = await rig.client(PREFACE + frameHeader(6, SETTINGS, 0, 0) + `\0\x04${word(0)}`);
  client.acknowledge();
  client.request(1);
  (await upstream.next()).answer(ok().withoutLength(), "stream", ["x".repeat(4000)]);
  for (let i = 0; i < 400; i++) client.window(1, 1);
  assert.equal(await client.code(GOAWAY), ErrorCode.ENHANCE_YOUR_CALM);
});
