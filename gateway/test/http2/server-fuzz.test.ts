/** Any sequence of frames, legal or not, harms nobody but who sends it, and leaves nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import fc from "fast-check";
import type { ConnectionRequest } from "../../src/cluster/contract.ts";
import { toResponseHead } from "../../src/head/response-head.ts";
import { Flag, FrameType, word } from "../../src/http2/frames.ts";
import { HandUpstream, type HandStream } from "../codec/hand-upstream.ts";
import type { FrameClient } from "./frame-client.ts";
import { openHttp2Rig, type Http2Rig } from "./rig.ts";

const RUNS = 40;
const { HEADERS, DATA, SETTINGS, CONTINUATION, PRIORITY } = FrameType;

type Step = (client: FrameClient) => void;

const id = fc.constantFrom(0, 1, 1, 2, 3, 5, 7, 9, 11);
const size = fc.constantFrom(0, 1, 5, 1000, 16_384);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: id.map(
      (stream): Step =>
        (c) =>
          c.request(stream),
    ),
  },
  {
    weight: 6,
    arbitrary: id.map(
      (stream): Step =>
        (c) =>
          c.request(stream, "POST"),
    ),
  },
  fc.tuple(id, size, fc.boolean()).map(
    ([stream, count, end]): Step =>
      (c) =>
        c.data(stream, "x".repeat(count), end),
  ),
  fc.tuple(id, fc.constantFrom(0, 1, 70_000, 2 ** 31 - 1)).map(
    ([stream, count]): Step =>
      (c) =>
        c.window(stream, count),
  ),
  id.map(
    (stream): Step =>
      (c) =>
        c.reset(stream),
  ),
  fc.constantFrom(0, 10, 65_535, 2 ** 31).map(
    (size): Step =>
      (c) =>
        c.frame(SETTINGS, 0, 0, `\0\x04${word(size)}`),
  ),
  fc.tuple(fc.nat(20), fc.nat(255), id, fc.string({ maxLength: 20 })).map(
    ([type, flags, stream, payload]): Step =>
      (c) =>
        c.frame(type, flags, stream, payload),
  ),
  id.map(
    (stream): Step =>
      (c) =>
        c.frame(PRIORITY, 0, stream, `${word(stream)}\0`),
  ),
  id.map((stream): Step => (c) => {
    const block = c.block("GET", "/");
    c.frame(HEADERS, Flag.END_STREAM, stream, block.slice(0, 3));
    c.frame(CONTINUATION, Flag.END_HEADERS, stream, block.slice(3));
  }),
  id.map(
    (stream): Step =>
      (c) =>
        c.frame(DATA, Flag.PADDED, stream, "\x04xx\0\0\0\0"),
  ),
);

/** Answers whatever arrives. */
class ReadyUpstream extends HandUpstream {
  readonly seen: HandStream[] = [];

  override acquire(request: ConnectionRequest, fresh: boolean): void {
    super.acquire(request, fresh);
    void this.next().then((stream) => {
      this.seen.push(stream);
      stream.answer(toResponseHead({ status: 200, headers: [["date", "x"]] }, 5), "length", ["hello"]);
    });
  }
}

async function isServed(rig: Http2Rig): Promise<void> {
  const other = await rig.client();
  other.request(1);
  await eventually(() => other.ended(1), { what: "the answer to somebody else" });
  assert.equal(other.content(1), "hello");
  other.close();
}

test("HTTP/2 server: any sequence of frames harms nobody else, and every exchange is recorded once", async (t) => {
  const upstream = new ReadyUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream });
  const run = async (steps: readonly Step[]): Promise<void> => {
    const client = await rig.client();
    for (const one of steps) one(client);
    await client.settle();
    await isServed(rig);
    client.close();
    await eventually(() => rig.servers.every(({ streams }) => streams.size === 0), { what: "no streams" });
    assert.deepEqual(rig.bugs, []);
    // what reached the upstream has one record with its host; the others never got so far
    const reached = rig.records.filter(({ upstreamHost }) => upstreamHost !== "-").length;
    await eventually(() => upstream.seen.length === reached, { what: "one record for each exchange" });
    assert.equal(new Set(rig.pool).size, rig.pool.length, "an exchange is twice in the pool");
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), run), { numRuns: RUNS, seed: 7540 });
});
