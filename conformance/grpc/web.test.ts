// gRPC-Web (binary) over HTTP/1.1 and HTTP/2, in front of plain gRPC servers: the trailers are the last frame of the body.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { readFileSync } from "node:fs";
import { runProgram } from "../interop/programs.ts";
import { METHODS, pattern } from "./calls.ts";
import { MAKERS } from "./peers.ts";
import { type GrpcEdge, openGrpcEdge } from "./rig.ts";

const TRAILERS = 0x80;
const PREFIX = 5;

/** A message with its prefix: flags, then its length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The messages of a body, and the lines of its trailers. */
function unframed(body: Buffer): { readonly messages: readonly Buffer[]; readonly trailers: string } {
  const messages: Buffer[] = [];
  let trailers = "";
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32BE(at + 1);
    const payload = body.subarray(at + PREFIX, at + PREFIX + length);
    assert.equal(payload.length, length, "a frame is cut short");
    if (body.readUInt8(at) === TRAILERS) trailers = payload.toString();
    else messages.push(payload);
    at += PREFIX + length;
  }
  return { messages, trailers };
}

describe("gRPC-Web", () => {
  let edge: GrpcEdge;
  before(async () => {
    edge = await openGrpcEdge();
  });
  after(() => edge[Symbol.asyncDispose]());

  const ask = async (speak: string, host: string, path: string, fields: readonly string[]) => {
    const scratch = openTemporaryDirectory();
    try {
      scratch.write("request", framed(pattern(0, 1000)));
      const headers = ["Content-Type: application/grpc-web+proto", "X-Grpc-Web: 1", `Host: ${host}`, ...fields];
      const { code, output } = await runProgram("curl", [
        "--silent",
        speak,
        ...headers.flatMap((header) => ["--header", header]),
        "--data-binary",
        `@${scratch.file("request")}`,
        "--dump-header",
        "-",
        "--output",
        scratch.file("answer"),
        `http://127.0.0.1:${edge.ports.h2c}${path}`,
      ]);
      assert.equal(code, 0, output);
      return { head: output, ...unframed(readFileSync(scratch.file("answer"))) };
    } finally {
      scratch.close();
    }
  };

  for (const server of MAKERS) {
    for (const speak of ["--http1.1", "--http2-prior-knowledge"]) {
      test(`messages and trailers, curl ${speak} to ${server}`, async () => {
        const echo = ["X-Echo-Text: abc", "X-Scatter: 3 70000"];
        const one = await ask(speak, `${server}.test`, METHODS.unary, echo);
        assert.match(one.head, /^HTTP\/\S+ 200/);
        assert.match(one.head, /content-type: application\/grpc-web\+proto/i);
        assert.deepEqual(one.messages, [pattern(0, 1000)]);
        assert.match(one.trailers, /^grpc-status: ?0\r$/im);
        assert.match(one.trailers, /^x-tail-text: ?abc\r$/im);
        const three = await ask(speak, `${server}.test`, METHODS["server-stream"], echo);
        assert.deepEqual(
          three.messages,
          [0, 1, 2].map((index) => pattern(index, 70_000)),
        );
        assert.match(three.trailers, /^grpc-status: ?0\r$/im);
      });

      test(`a status behind a head is in the last frame, curl ${speak} to ${server}`, async () => {
        const failed = await ask(speak, `${server}.test`, METHODS.unary, ["X-When: late", "X-Status: 5"]);
        assert.match(failed.trailers, /^grpc-status: ?5\r$/im);
      });
    }
  }
});
