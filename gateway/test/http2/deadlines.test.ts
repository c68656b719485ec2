/** Calls of gRPC over HTTP/2 that run out of time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { FrameType } from "../../src/http2/frames.ts";
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

test("a call whose deadline passes in the middle of its answer ends with a status, not with a reset", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST", "content-type: application/grpc\r\nte: trailers\r\ngrpc-timeout: 1S\r\n");
  const call = await upstream.next();
  const head = toResponseHead({ status: 200, headers: [["content-type", "application/grpc"]] }, 0).withoutLength();
  call.begin(head, "stream");
  call.piece("part");
  await eventually(() => client.content(1) === "part");
  rig.advance(1100);
  await eventually(() => client.ended(1));
  const decoder = new HpackDecoder({ maxTableSize: 4096, classify: () => 0 });
  const lines: string[] = [];
  for (const { type, payload } of client.frames)
    if (type === FrameType.HEADERS)
      decoder.decode(payload, 0, payload.length, { onField: ({ line }) => void lines.push(line) });
  assert.ok(lines.includes("grpc-status: 4\r\n"), lines.join(""));
  assert.equal(client.seen(FrameType.RST_STREAM, 1), undefined);
  assert.deepEqual([rig.records[0]?.flag, call.cancelled], ["UT", 1]);
});
