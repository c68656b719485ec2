/** What becomes of requests whose client takes them back or is gone: they are cancelled upstream at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import type { FrameClient } from "./frame-client.ts";
import { openHttp2Rig } from "./rig.ts";

const streamed = (): ReturnType<typeof toResponseHead> => toResponseHead({ status: 200, headers: [["date", "x"]] }, -1);

/** How a client goes. */
const WAYS: readonly (readonly [string, (client: FrameClient) => void])[] = [
  ["resets its streams", (client) => [1, 3, 5].forEach((stream) => client.reset(stream))],
  ["sends FIN", (client) => client.socket.end()],
  ["sends RST", (client) => client.socket.resetAndDestroy()],
  ["resets its streams and is gone", (client) => ([1, 3, 5].forEach((id) => client.reset(id)), client.close())],
];

for (const [what, go] of WAYS)
  test(`HTTP/2 server: a client that ${what} has its requests cancelled, complete or not, answered or not`, async (t) => {
    const upstream = new HandUpstream();
    const rig = await openHttp2Rig(t, { cluster: upstream });
    const client = await rig.client();
    client.request(1, "POST");
    const incomplete = await upstream.next();
    client.request(3);
    const unanswered = await upstream.next();
    client.request(5);
    const answering = await upstream.next();
    answering.begin(streamed(), "stream");
    answering.piece("half");
    await eventually(() => client.content(5) === "half");
    go(client);
    for (const stream of [incomplete, unanswered, answering]) await eventually(() => stream.cancelled === 1);
    await eventually(() => rig.records.length === 3);
    assert.deepEqual([...new Set(rig.records.map(({ flag }) => flag))], ["DC"]);
    assert.equal(rig.servers[0]?.streams.size, 0);
  });

test("HTTP/2 server: a client that sends FIN between requests gets one", async (t) => {
  const rig = await openHttp2Rig(t, { cluster: new HandUpstream() });
  const client = await rig.client();
  await client.settle();
  client.socket.end();
  await eventually(() => client.closed, { what: "FIN" });
});
