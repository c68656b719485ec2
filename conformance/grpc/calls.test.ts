// Calls of all kinds between grpc-go and grpc-js clients and servers, through the gateway.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type CallKind, type CallOrder, type CallResult, digestOf, pattern } from "./calls.ts";
import { makeCalls, MAKERS, type Maker } from "./peers.ts";
import { type GrpcEdge, openGrpcEdge, type Transport } from "./rig.ts";

const KINDS: readonly CallKind[] = ["unary", "client-stream", "server-stream", "bidi"];
const MEBIBYTE = 1 << 20;
/** Every byte value, which text could not carry; and text with what HTTP/1.1 would have trimmed or folded. */
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("base64");
const TEXT = 'a, b;c="d"  e';

/** What a client must receive for what it sent. */
function expected(order: CallOrder, sent: readonly Buffer[]): readonly Buffer[] {
  switch (order.kind) {
    case "unary":
      return sent.slice(0, 1);
    case "client-stream":
      return [Buffer.from(`${sent.length} ${digestOf(sent)}`)];
    case "server-stream": {
      const [count = 0, size = 0] = (new Map(order.metadata).get("x-scatter") ?? "").split(" ").map(Number);
      return Array.from({ length: count }, (_, index) => pattern(index, size));
    }
    case "bidi":
      return sent;
  }
}

function assertAnswered(order: CallOrder, results: readonly CallResult[], server: Maker): void {
  const messages = expected(
    order,
    order.send.map((size, index) => pattern(index, size)),
  );
  const digest = digestOf(messages);
  assert.equal(results.length, order.calls);
  for (const result of results) {
    assert.deepEqual([result.code, result.message], [0, ""]);
    assert.deepEqual(
      result.received,
      messages.map(({ length }) => length),
    );
    assert.equal(result.digest, digest);
    assert.deepEqual(result.header["x-peer"], [server]);
    assert.deepEqual(result.header["x-authority"], [order.authority]);
    assert.deepEqual(result.header["x-forwarded"], ["127.0.0.1"], "it did not come through the gateway");
  }
}

describe("calls", () => {
  let edge: GrpcEdge;
  before(async () => {
    edge = await openGrpcEdge();
  });
  after(() => edge[Symbol.asyncDispose]());

  const pairs = MAKERS.flatMap((client) => MAKERS.map((server) => ({ client, server })));
  const transports: readonly Transport[] = ["h2c", "tls"];
  for (const { client, server } of pairs) {
    for (const transport of transports) {
      for (const kind of KINDS) {
        test(`${kind} calls, one and a hundred at a time: ${client} over ${transport} to ${server}`, async () => {
          const order: CallOrder = {
            ...edge.order(transport, `${server}.test`, kind),
            metadata: [["x-scatter", "5 1000"]],
            send: [0, 1, 1000, 70_000],
          };
          assertAnswered(order, await makeCalls(client, order), server);
          const many = { ...order, calls: 200, parallel: 100 };
          assertAnswered(many, await makeCalls(client, many), server);
        });
      }
    }

    test(`messages of 4 MiB both ways: ${client} to ${server}`, async () => {
      for (const kind of KINDS) {
        const order: CallOrder = {
          ...edge.order("h2c", `${server}.test`, kind),
          metadata: [["x-scatter", `2 ${4 * MEBIBYTE}`]],
          send: [4 * MEBIBYTE, 4 * MEBIBYTE],
        };
        assertAnswered(order, await makeCalls(client, order), server);
      }
    });

    test(`a backend over TLS: ${client} to ${server}`, async () => {
      for (const kind of KINDS) {
        const order: CallOrder = {
          ...edge.order("tls", `${server}.tls.test`, kind),
          metadata: [["x-scatter", "5 1000"]],
          calls: 20,
          parallel: 10,
        };
        assertAnswered(order, await makeCalls(client, order), server);
      }
    });

    test(`metadata in the head and behind the body, text and binary, repeated: ${client} to ${server}`, async () => {
      for (const kind of KINDS) {
        const order: CallOrder = {
          ...edge.order("h2c", `${server}.test`, kind),
          metadata: [
            ["x-scatter", "1 1"],
            ["x-echo-text", TEXT],
            ["x-echo-list", "first"],
            ["x-echo-list", "second"],
            ["x-echo-bytes-bin", BINARY],
          ],
        };
        const [result] = await makeCalls(client, order);
        assert.ok(result !== undefined);
        assert.equal(result.code, 0, result.message);
        const { header, trailer } = result;
        assert.deepEqual([header["x-echo-text"], trailer["x-tail-text"]], [[TEXT], [TEXT]], kind);
        assert.deepEqual([header["x-echo-bytes-bin"], trailer["x-tail-bytes-bin"]], [[BINARY], [BINARY]], kind);
        assert.equal(header["x-echo-list"]?.join(", "), "first, second", kind);
        assert.equal(trailer["x-tail-list"]?.join(", "), "first, second", kind);
      }
    });
  }
});
