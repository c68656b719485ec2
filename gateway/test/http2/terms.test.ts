/** How long HTTP/2 connections are used, and what becomes of them when their settings change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { ErrorCode, Flag, FrameType } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import type { FrameClient } from "./frame-client.ts";
import { type Http2Rig, openHttp2Rig } from "./rig.ts";

const ok = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);
const { GOAWAY, PING, SETTINGS } = FrameType;

/** Answers the PING that comes with the first GOAWAY; resolves with the last stream that is taken. */
async function takeLeave(client: FrameClient): Promise<number> {
  assert.equal(await client.code(GOAWAY), ErrorCode.NO_ERROR);
  const ping = await eventually(() =>
    client.frames.find(({ type, flags }) => type === PING && (flags & Flag.ACK) === 0),
  );
  client.frame(PING, Flag.ACK, 0, ping.payload.toString("latin1"));
  const last = await eventually(() => client.frames.filter(({ type }) => type === GOAWAY)[1]);
  return last.payload.readUInt32BE(0);
}

/** Until the clock has looked at a connection that waits. */
async function passTime(rig: Http2Rig, client: FrameClient): Promise<void> {
  for (let passed = 0; passed < 16_000 && client.seen(GOAWAY) === undefined; passed += 250) {
    rig.advance(250);
    await client.settle();
  }
}

test("a connection that has carried as many requests as it may says GOAWAY, and finishes them", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http: { maxRequests: 2 } });
  const client = await rig.client();
  client.acknowledge();
  client.request(1);
  const first = await upstream.next();
  await client.settle();
  assert.equal(client.seen(GOAWAY), undefined);
  client.request(3);
  const second = await upstream.next();
  assert.equal(await takeLeave(client), 3);
  for (const stream of [first, second]) stream.answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1) && client.ended(3) && client.closed);
  assert.equal(rig.records.length, 2);
});

test("after its time an idle connection says GOAWAY", async (t) => {
  const rig = await openHttp2Rig(t, { cluster: new HandUpstream(), http: { maxDuration: 60_000 } });
  const client = await rig.client();
  client.acknowledge();
  await client.settle();
  rig.advance(53_000);
  await client.settle();
  assert.equal(client.seen(GOAWAY), undefined);
  await passTime(rig, client);
  assert.equal(await takeLeave(client), 0);
  await eventually(() => client.closed);
});

test("a connection whose settings are others by now is let go when that is noticed", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, http2: { maxConcurrentStreams: 7, streamWindow: 70_000 } });
  const client = await rig.client();
  client.acknowledge();
  const settings = await client.expect(SETTINGS);
  assert.equal(settings.payload.toString("hex").slice(0, 24), "000300000007" + "000400011170");
  // the same again: nothing to be told
  rig.renew();
  client.request(1);
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  await eventually(() => client.ended(1));
  await client.settle();
  assert.equal(client.seen(GOAWAY), undefined);
  rig.renew({ http2: { maxConcurrentStreams: 8, streamWindow: 70_000 } });
  client.request(3);
  (await upstream.next()).answer(ok(), "length", ["hello"]);
  assert.equal(await takeLeave(client), 3);
  await eventually(() => client.ended(3) && client.closed);
  const fresh = await rig.client();
  assert.equal((await fresh.expect(SETTINGS)).payload.readUInt32BE(2), 8);
});

test("an idle connection learns of other settings, and of a lack of memory, without a request", async (t) => {
  const rig = await openHttp2Rig(t, { cluster: new HandUpstream() });
  const [one, other] = [await rig.client(), await rig.client()];
  for (const client of [one, other]) {
    client.acknowledge();
    await client.settle();
  }
  rig.renew({ http2: { abuseBudget: 2000 } });
  await passTime(rig, one);
  assert.equal(await takeLeave(one), 0);
  assert.equal(await takeLeave(other), 0);
  const third = await rig.client();
  third.acknowledge();
  await third.settle();
  rig.pressure.stopKeepAlive = true;
  await passTime(rig, third);
  assert.equal(await takeLeave(third), 0);
});

test("the health path is answered over HTTP/2 as well, and goes with the drain", async (t) => {
  const rig = await openHttp2Rig(t, { cluster: new HandUpstream(), http: { healthPath: "/healthz" } });
  const client = await rig.client();
  client.acknowledge();
  client.request(1, "GET", "", "/healthz");
  assert.equal((await client.expect(FrameType.HEADERS, 1)).fields.get(":status"), "200");
  rig.pressure.draining = true;
  client.request(3, "GET", "", "/healthz");
  assert.equal((await client.expect(FrameType.HEADERS, 3)).fields.get(":status"), "503");
});
