/** Health checks by grpc.health.v1: what is asked, and that only SERVING will do. */
import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { test, type TestContext } from "node:test";
import { check, GRPC, listen } from "./rig.ts";

/** A server of grpc.health.v1 by hand: says what `answer` makes of the name of the service. */
async function serveGrpc(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, request: Buffer) => void,
): Promise<number> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    assert.equal(headers[":path"], "/grpc.health.v1.Health/Check");
    assert.equal(headers["content-type"], "application/grpc");
    assert.equal(headers["te"], "trailers");
    const pieces: Buffer[] = [];
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("end", () => answer(stream, Buffer.concat(pieces)));
  });
  return listen(t, server);
}

function respond(stream: ServerHttp2Stream, message: string, trailers: Record<string, string>): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  const body = Buffer.from(message, "hex");
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  stream.end(Buffer.concat([prefix, body]));
}

test("of gRPC only SERVING will do, whatever the requests of the cluster speak", async (t) => {
  const requests: string[] = [];
  const answers = [
    { message: "0801", trailers: { "grpc-status": "0" }, detail: "" },
    // unknown fields before and behind, as newer servers may send them
    { message: "120261620801", trailers: { "grpc-status": "0" }, detail: "" },
    { message: "0802", trailers: { "grpc-status": "0" }, detail: "says NOT_SERVING" },
    { message: "", trailers: { "grpc-status": "0" }, detail: "says UNKNOWN" },
    { message: "0863", trailers: { "grpc-status": "0" }, detail: "says 99" },
    { message: "0a", trailers: { "grpc-status": "0" }, detail: "the message of the answer cannot be read" },
    {
      message: "0801",
      trailers: { "grpc-status": "5", "grpc-message": "who?" },
      detail: "answered grpc-status 5: who?",
    },
  ];
  let next = 0;
  const port = await serveGrpc(t, (stream, request) => {
    requests.push(request.toString("hex"));
    const { message = "", trailers = {} } = answers[next++] ?? {};
    respond(stream, message, trailers);
  });
  for (const [at, { detail }] of answers.entries()) {
    const probe = { ...GRPC, service: at === 0 ? "shop.Cart" : "" };
    assert.equal((await check(t, { port, probe })).detail, detail);
  }
  assert.equal(requests[0], `000000000b0a09${Buffer.from("shop.Cart").toString("hex")}`);
  assert.equal(requests[1], "0000000000");
});

test("a call that is answered in the head alone, or not as a call, fails", async (t) => {
  const heads = [
    { ":status": 200, "content-type": "application/grpc", "grpc-status": "12", "grpc-message": "not here" },
    { ":status": 503, "content-type": "text/plain" },
    { ":status": 200, "content-type": "text/html" },
    { ":status": 200, "content-type": "application/grpc", "grpc-status": "0" },
  ];
  let next = 0;
  const port = await serveGrpc(t, (stream) => stream.respond(heads[next++], { endStream: true }));
  const details: string[] = [];
  for (const _ of heads) details.push((await check(t, { port, probe: GRPC })).detail);
  assert.deepEqual(details, [
    "answered grpc-status 12: not here",
    "answered 503",
    "the answer is none of gRPC",
    "the answer has no message",
  ]);
});
