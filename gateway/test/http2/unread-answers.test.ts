/** Clients that ask for more and more and read nothing: what they are owed stays bounded, and a time limit ends them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalReply } from "@sallyport/policies/filter";
import { eventually } from "@sallyport/testkit/eventually";
import { Flag, frameHeader, FrameType } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { settled } from "../pouring.ts";
import type { FrameClient } from "./frame-client.ts";
import { type Http2Rig, openHttp2Rig } from "./rig.ts";

const MEBIBYTE = 1 << 20;
/** So much more than sockets hold of what is sent that it is seen whether anything else holds it up. */
const ENOUGH = 16 * MEBIBYTE;
const BOUND = 8 * MEBIBYTE;
/** No abuse: what is tested is what holds where nothing else does. */
const http2 = { abuseBudget: Number.MAX_SAFE_INTEGER };

/** Sends what `make` returns, no faster than it is taken. */
function flood({ socket }: FrameClient, make: () => string, most = ENOUGH): { bytes: number } {
  const sent = { bytes: 0 };
  const go = (): void => {
    while (!socket.destroyed && sent.bytes < most) {
      const frames = make();
      sent.bytes += frames.length;
      if (!socket.write(frames, "latin1")) return;
    }
  };
  socket.on("drain", go);
  go();
  return sent;
}

/** A client of whom nothing is taken any more: no buffer of the kernel hides what it is owed. */
async function openDeafClient(rig: Http2Rig): Promise<FrameClient> {
  const client = await rig.client();
  client.acknowledge();
  // no window holds up what it is owed
  client.window(0, 2 ** 30);
  await client.settle();
  rig.servers[0]?.output.hold();
  return client;
}

for (const [what, type, payload] of [
  ["PING", FrameType.PING, "12345678"],
  ["SETTINGS", FrameType.SETTINGS, ""],
] as const) {
  test(`HTTP/2 server: answers to ${what} that are not read are no more than a bound, and end in time`, async (t) => {
    const rig = await openHttp2Rig(t, { cluster: new HandUpstream(), http2, http: { idleTimeout: 60_000 } });
    const client = await openDeafClient(rig);
    const frames = (frameHeader(payload.length, type, 0, 0) + payload).repeat(1000);
    const sent = flood(client, () => frames);
    await eventually(() => rig.servers[0]?.output.flooded, { what: "too much that is owed" });
    const taken = await settled(() => sent.bytes);
    assert.ok(taken < BOUND, `${taken} bytes were taken`);
    rig.advance(62_000);
    rig.advance(2_000);
    await eventually(() => client.closed, { what: "the end" });
  });
}

test("HTTP/2 server: whole answers that are not read are no more than a bound, and end in time", async (t) => {
  const upstream = new HandUpstream();
  upstream.unreachable = Number.POSITIVE_INFINITY;
  const http = { idleTimeout: 60_000, streamIdleTimeout: 60_000 };
  const rig = await openHttp2Rig(t, { cluster: upstream, http2, http });
  const client = await openDeafClient(rig);
  const next = { id: 1 };
  const ask = (): string => {
    const block = client.block("GET", "/");
    const header = frameHeader(block.length, FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, next.id);
    next.id += 2;
    return header + block;
  };
  flood(client, () => Array.from({ length: 100 }, ask).join(""), MEBIBYTE / 4);
  await eventually(() => rig.servers[0]?.output.flooded, { what: "too much that is owed" });
  const answers = await settled(() => rig.records.length);
  assert.ok(answers < 10_000, `${answers} answers`);
  // first what waits for room, then the connection, then the wait for its end
  rig.advance(62_000);
  rig.advance(62_000);
  rig.advance(2_000);
  await eventually(() => client.closed, { what: "the end" });
});

for (const reads of ["late", "never"] as const) {
  test(`HTTP/2 server: the last answer of a connection that ends is there for a client that reads it ${reads}`, async (t) => {
    const reply: LocalReply = { status: 200, headers: [], body: "x".repeat(50_000), flag: "-" };
    const rule = { filters: [{ deterministic: true, onRequest: () => reply }] };
    const rig = await openHttp2Rig(t, { cluster: new HandUpstream(), http2, rule });
    const client = await openDeafClient(rig);
    client.request(1);
    await eventually(() => rig.records.length === 1, { what: "the answer" });
    const [server] = rig.servers;
    server?.drain();
    // its PING is not answered
    rig.advance(2_000);
    rig.advance(290_000);
    if (reads === "late") {
      server?.output.release();
      await eventually(() => client.ended(1), { what: "the end of the answer" });
      assert.equal(client.content(1), reply.body);
      rig.advance(2_000);
    } else rig.advance(12_000);
    await eventually(() => client.closed, { what: "the end" });
  });
}
