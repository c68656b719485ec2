/** Heads of requests go on though nothing of their bodies has come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

test("a head is not kept for a body that may wait for an answer to it", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST", "expect: 100-continue\r\ncontent-length: 5\r\n");
  const stream = await upstream.next();
  await eventually(() => stream.flushed);
  client.data(1, "hello", true);
  await eventually(() => stream.ended);
  assert.equal(stream.content, "hello");
  stream.answer(toResponseHead({ status: 200, headers: [["date", "x"]] }, 2), "length", ["ok"]);
});

test("neither is one that waited for its connection", async (t) => {
  const upstream = new HandUpstream();
  upstream.hold = true;
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const client = await rig.client();
  client.request(1, "POST", "content-length: 5\r\n");
  await eventually(() => upstream.waiting === 1);
  upstream.release();
  const stream = await upstream.next();
  await eventually(() => stream.flushed);
  client.data(1, "hello", true);
  await eventually(() => stream.ended);
  stream.answer(toResponseHead({ status: 200, headers: [["date", "x"]] }, 2), "length", ["ok"]);
});
