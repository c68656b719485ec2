/**
 * What every server codec owes its exchanges (exchange/contract.ts), whatever it speaks on the wire. A codec brings a client
 * of its protocol; behind the exchange stands a stream that the test plays by hand.
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead, type ResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream } from "./hand-upstream.ts";

/** A request as a client of any protocol can send it. */
export interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly (readonly [string, string])[];
  /** Undefined: no body. With `length` it is announced, else it ends when end() is called. */
  readonly body?: { readonly length?: number };
}

/** A client's view of one exchange. */
export interface ClientStream {
  /** Sends a piece of the body; may resolve late or never while the server does not read. */
  send(piece: string): Promise<void>;
  end(trailers?: readonly (readonly [string, string])[]): void;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
  /** Goes away without a word. */
  vanish(): void;
  readonly interim: readonly number[];
  readonly status: number;
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** `whole`: ended as it should; `cut`: it did not and never will. */
  readonly state: "open" | "whole" | "cut";
}

/** A codec under test, with a client of its protocol. */
export interface DownstreamCodec {
  readonly name: string;
  /** Whether request bodies can be handed out raw. */
  readonly raw: boolean;
  /** Opens a port whose exchanges go to this upstream, and sends a request to it. */
  request(t: TestContext, upstream: HandUpstream, request: ClientRequest): Promise<ClientStream>;
}

const GET: ClientRequest = { method: "GET", path: "/a?b", fields: [["x-a", "1"]] };
const POST: ClientRequest = { method: "POST", path: "/p", fields: [], body: {} };

function ok(): ResponseHead {
  return toResponseHead({ status: 200, headers: [["date", "x"]] }, 5);
}

/** An answer without a length. */
function streamed(): ResponseHead {
  const head = ok();
  head.text = head.text.replace(/content-length: 5\r\n/, "");
  return head;
}

/** Runs the suite against a codec. */
export function testDownstreamCodec(codec: DownstreamCodec): void {
  const name = (sentence: string): string => `${codec.name}: ${sentence}`;

  test(name("a request without a body arrives whole and is flushed"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, GET);
    const stream = await upstream.next();
    assert.deepEqual([stream.head?.method, stream.head?.path, stream.framing], ["GET", "/a?b", "none"]);
    assert.equal(stream.head?.header("x-a"), "1");
    assert.ok(stream.ended && stream.flushed);
    stream.answer(ok(), "length", ["hello"]);
    await eventually(() => client.state === "whole");
    assert.deepEqual([client.status, client.body], [200, "hello"]);
  });

  test(name("a body arrives in order, ends once, and its content is counted"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, POST);
    const stream = await upstream.next();
    assert.equal(stream.framing, "stream");
    for (const piece of ["one", "two", "three"]) await client.send(piece);
    await eventually(() => stream.content === "onetwothree");
    assert.ok(!stream.ended);
    client.end([["x-sum", "11"]]);
    await eventually(() => stream.ended);
    assert.deepEqual(stream.trailers, [["x-sum", "11"]]);
    stream.answer(ok(), "length", ["hello"]);
    await eventually(() => client.state === "whole");
    await eventually(() => upstream.records[0]?.bytesReceived === 11);
  });

  test(name("a body of known length says so"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, { ...POST, body: { length: 3 } });
    const stream = await upstream.next();
    assert.deepEqual([stream.framing, stream.head?.contentLength], ["length", 3]);
    await client.send("abc");
    client.end();
    await eventually(() => stream.ended && stream.content === "abc");
    stream.answer(ok(), "length", ["hello"]);
    await eventually(() => client.state === "whole");
  });

  test(name("no piece comes before the body is taken"), async (t) => {
    const upstream = new HandUpstream();
    upstream.hold = true;
    const client = await codec.request(t, upstream, POST);
    void client.send("early");
    await eventually(() => upstream.waiting === 1);
    upstream.release();
    const stream = await upstream.next();
    await eventually(() => stream.content === "early");
    client.end();
    await eventually(() => stream.ended);
    stream.answer(ok(), "length", ["hello"]);
    await eventually(() => client.state === "whole");
  });

  test(name("no piece comes between full and resume, and nothing is lost"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, POST);
    const stream = await upstream.next();
    stream.full = true;
    const piece = "x".repeat(50_000);
    const sending = (async () => {
      for (let i = 0; i < 100; i++) await client.send(piece);
      client.end();
    })();
    await eventually(() => stream.content.length > 0);
    const held = stream.content.length;
    await setImmediate();
    assert.equal(stream.content.length, held);
    stream.full = false;
    stream.drain();
    await sending;
    await eventually(() => stream.ended, { within: 30_000 });
    assert.equal(stream.content.length, 5_000_000);
    stream.answer(ok(), "length", ["hello"]);
    await eventually(() => client.state === "whole");
  });

  test(name("interim answers come before the final one"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, GET);
    const stream = await upstream.next();
    stream.receiver?.onInterim(toResponseHead({ status: 103, headers: [["link", "</a>"]] }, 0));
    await eventually(() => client.interim.length === 1);
    stream.answer(ok(), "length", ["hello"]);
    await eventually(() => client.state === "whole");
    assert.deepEqual([client.interim, client.status], [[103], 200]);
  });

  test(name("an answer of unknown length ends when its source says so, with its trailers"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, GET);
    const stream = await upstream.next();
    stream.begin(streamed(), "stream");
    stream.piece("hello");
    await eventually(() => client.body === "hello");
    stream.piece(" world");
    stream.finish([["x-t", "1"]]);
    await eventually(() => client.state === "whole");
    assert.deepEqual([client.body, client.trailers], ["hello world", [["x-t", "1"]]]);
  });

  test(name("a client that does not read fills up, and drains"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, GET);
    const stream = await upstream.next();
    client.pause();
    stream.begin(streamed(), "stream");
    const piece = "x".repeat(60_000);
    let sent = 0;
    const more = (): void => {
      while (sent < 400) {
        sent++;
        if (stream.piece(piece) === "full") return;
      }
      stream.finish();
    };
    stream.onResume = more;
    more();
    assert.ok(sent < 400, "it never filled up");
    client.resume();
    await eventually(() => client.state === "whole", { within: 30_000 });
    assert.equal(client.body.length, 400 * piece.length);
  });

  test(name("an answer that fails after its head looks cut"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, GET);
    const stream = await upstream.next();
    stream.begin(streamed(), "stream");
    stream.piece("half");
    await eventually(() => client.body === "half");
    stream.receiver?.onAnswerFailed("upstream-closed", "begun");
    await eventually(() => client.state === "cut");
  });

  test(name("a try that fails before its answer is answered locally"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, GET);
    const stream = await upstream.next();
    stream.receiver?.onAnswerFailed("connect-timeout", "silent");
    await eventually(() => client.state === "whole");
    assert.equal(client.status, 503);
  });

  test(name("a client that vanishes cancels its request, once"), async (t) => {
    const upstream = new HandUpstream();
    const client = await codec.request(t, upstream, POST);
    const stream = await upstream.next();
    await client.send("abc");
    await eventually(() => stream.content === "abc");
    client.vanish();
    await eventually(() => stream.cancelled === 1);
    await eventually(() => upstream.records[0]?.flag === "DC");
    assert.equal(upstream.records.length, 1);
  });

  test(name("raw pieces are asked for only where both sides have them"), async (t) => {
    for (const takesRaw of [true, false]) {
      const upstream = new HandUpstream();
      upstream.takesRaw = takesRaw;
      const client = await codec.request(t, upstream, POST);
      const stream = await upstream.next();
      assert.equal(stream.mode, takesRaw && codec.raw ? "raw" : "content");
      await client.send("abc");
      client.end();
      await eventually(() => stream.ended);
      assert.equal(stream.content, "abc");
      stream.answer(ok(), "length", ["hello"]);
      await eventually(() => client.state === "whole");
    }
  });
}
