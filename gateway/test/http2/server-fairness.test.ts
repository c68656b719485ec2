/** Who is served first on a connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead, type ResponseHead } from "../../src/head/response-head.ts";
import { frameHeader, FrameType, PREFACE, word } from "../../src/http2/frames.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

const { DATA, HEADERS, SETTINGS } = FrameType;
const LARGE = 1_000_000;
const head = (length: number): ResponseHead => toResponseHead({ status: 200, headers: [["date", "x"]] }, length);
/** Stream windows that are no limit; the connection's is as it is. */
const WIDE = PREFACE + frameHeader(6, SETTINGS, 0, 0) + `\0\x04${word(2 ** 30)}`;

test("HTTP/2 server: a large answer that waits holds up no small one behind it", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client(WIDE);
  client.request(1);
  (await upstream.next()).answer(head(LARGE), "length", ["x".repeat(LARGE)]);
  await eventually(() => client.content(1).length === 65_535);
  client.request(3);
  (await upstream.next()).answer(head(5), "length", ["hello"]);
  await client.expect(HEADERS, 3);
  // a window for four frames: one of them is the small answer
  client.window(0, 50_000);
  await eventually(() => client.ended(3));
  assert.equal(client.content(3), "hello");
  assert.ok(!client.ended(1));
  client.window(0, LARGE);
  await eventually(() => client.ended(1));
});

test("HTTP/2 server: what is urgent is sent first, and what is not incremental whole", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client(WIDE);
  const priorities = ["u=5", "u=1", "u=5", "u=0, i"];
  for (const [i, priority] of priorities.entries()) {
    client.request(2 * i + 1, "GET", `priority: ${priority}\r\n`);
    (await upstream.next()).answer(head(100_000), "length", [String(i).repeat(100_000)]);
  }
  await client.expect(HEADERS, 7);
  client.frame(FrameType.PRIORITY_UPDATE, 0, 0, `${word(7)}u=7`);
  client.window(0, LARGE);
  await eventually(() => [1, 3, 5, 7].every((stream) => client.ended(stream)));
  const order = client.frames.filter(({ type }) => type === DATA).map(({ stream }) => stream);
  const late = order.slice(order.indexOf(3));
  assert.deepEqual(
    late.filter((stream, i) => stream !== late[i - 1]),
    [3, 1, 5, 7],
  );
});
