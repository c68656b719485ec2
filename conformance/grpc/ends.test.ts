// How calls end before their time or with an error: who learns of it, and how.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CallKind, CallOrder } from "./calls.ts";
import { type GrpcServer, makeCalls, MAKERS, type Maker } from "./peers.ts";
import { type GrpcEdge, openGrpcEdge } from "./rig.ts";

const KINDS: readonly CallKind[] = ["unary", "client-stream", "server-stream", "bidi"];
const [CANCELLED, DEADLINE_EXCEEDED, UNIMPLEMENTED, UNAVAILABLE] = [1, 4, 12, 14];
/** Every status but OK. */
const CODES = Array.from({ length: 16 }, (_, index) => index + 1);
/** Milliseconds in which a client that has just started has its call at the server, on any machine. */
const DEADLINE = 3000;
const MESSAGE = "größer als 100% ☃\nzweite Zeile";

describe("ends", () => {
  let edge: GrpcEdge;
  before(async () => {
    edge = await openGrpcEdge();
  });
  after(() => edge[Symbol.asyncDispose]());

  const serverOf = (maker: Maker): GrpcServer => {
    const server = edge.servers.get(`${maker}.test`);
    assert.ok(server !== undefined);
    return server;
  };
  const pairs = MAKERS.flatMap((client) => MAKERS.map((server) => ({ client, server })));

  for (const { client, server } of pairs) {
    test(`a deadline ends the call at both ends: ${client} to ${server}`, async () => {
      const call = async (kind: CallKind): Promise<void> => {
        const id = `${client}-${kind}-deadline`;
        const order = { ...edge.order("h2c", `${server}.test`, kind), deadline: DEADLINE };
        const [result] = await makeCalls(client, { ...order, metadata: [["x-wait", id]] });
        assert.equal(result?.code, DEADLINE_EXCEEDED, `${kind}: ${result?.message}`);
        await serverOf(server).told("ended", id);
      };
      await Promise.all(KINDS.map(call));
    });

    test(`a client that cancels is noticed by the server: ${client} to ${server}`, async () => {
      for (const kind of KINDS) {
        const id = `${client}-${kind}-cancel`;
        const order: CallOrder = { ...edge.order("tls", `${server}.test`, kind), cancelOn: "headers" };
        const [result] = await makeCalls(client, { ...order, metadata: [["x-wait", id]] });
        assert.equal(result?.code, CANCELLED, `${kind}: ${result?.message}`);
        await serverOf(server).told("ended", id);
      }
    });

    for (const when of ["early", "late"]) {
      const what = when === "early" ? "in the head alone" : "behind a head";
      test(`statuses arrive with their message and metadata, ${what}: ${client} to ${server}`, async () => {
        for (const kind of KINDS) {
          // a process for each call: those of Node start slowly, and what the gateway does with a code is the same for both
          for (const code of kind === "unary" && client === "go" ? CODES : [5]) {
            const order: CallOrder = {
              ...edge.order("h2c", `${server}.test`, kind),
              metadata: [
                ["x-when", when],
                ["x-status", String(code)],
                ["x-message-bin", Buffer.from(MESSAGE).toString("base64")],
                ["x-scatter", "1 1"],
                ["x-echo-bytes-bin", "AP8="],
              ],
            };
            const [result] = await makeCalls(client, order);
            assert.deepEqual([result?.code, result?.message], [code, MESSAGE], kind);
            assert.deepEqual(result?.trailer["x-tail-bytes-bin"], ["AP8="], kind);
          }
        }
      });
    }
  }

  for (const client of MAKERS) {
    test(`what no route has is UNIMPLEMENTED, and a backend that is down UNAVAILABLE: ${client}`, async () => {
      for (const kind of KINDS) {
        const unknown = { ...edge.order("tls", "go.test", kind), path: "/no.Such/Thing" };
        assert.equal((await makeCalls(client, unknown))[0]?.code, UNIMPLEMENTED, kind);
        const elsewhere = edge.order("h2c", "nowhere.test", kind);
        assert.equal((await makeCalls(client, elsewhere))[0]?.code, UNIMPLEMENTED, kind);
        const down = edge.order("h2c", "down.test", kind);
        assert.equal((await makeCalls(client, down))[0]?.code, UNAVAILABLE, kind);
      }
    });
  }
});
