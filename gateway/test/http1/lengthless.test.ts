/** Answers that ended with their head in HTTP/2, and say nothing of a length, for clients of HTTP/1.1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "@sallyport/testkit/raw-client";
import { toResponseHead } from "../../src/head/response-head.ts";
import type { ResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openRig } from "./rig.ts";

const lengthless = (status: number): ResponseHead =>
  toResponseHead({ status, headers: [["date", "x"]] }, 0).withoutLength();

for (const [method, status, expected] of [
  ["GET", 200, "content-length: 0\r\n"],
  ["GET", 204, ""],
  ["GET", 304, ""],
  ["HEAD", 200, ""],
] as const)
  test(`an answer ${status} to ${method} that ended with its head is whole, and the next one is not its body`, async (t) => {
    const upstream = new HandUpstream();
    const rig = await openRig(t, { backend: { cluster: upstream } });
    const client = await RawClient.open({ port: rig.port });
    t.after(() => client.close());
    await client.send(`${method} / HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(2));
    for (let i = 0; i < 2; i++) (await upstream.next()).answer(lengthless(status), "none", []);
    await client.signal.require(() => client.received.split("HTTP/1.1 ").length === 3, 2000, "both answers");
    for (const answer of client.received.split("HTTP/1.1 ").slice(1))
      assert.match(answer, new RegExp(`^${status} [^\\r]+\r\ndate: x\r\n${expected}\r\n$`));
  });
