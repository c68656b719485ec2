import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { requestFrames } from "./frames.ts";
import { partsOf } from "./request-parts.ts";
import { StreamClient } from "./stream-client.ts";

const long = "v".repeat(300);
const request = `POST /some?path HTTP/1.1\r\nHost: a.test\r\nX-Long: ${long}\r\n\r\nbody`;

async function openClient(
  t: TestContext,
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<StreamClient> {
  const server = createServer();
  server.on("stream", onStream);
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = await StreamClient.open((server.address() as AddressInfo).port, 5);
  t.after(() => client.close());
  return client;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

test("streams carry the request's method, path, fields and body, and are complete with their last byte", async (t) => {
  const seen: unknown[] = [];
  const held: ServerHttp2Stream[] = [];
  const client = await openClient(t, (stream, headers) => {
    const names = [":method", ":scheme", ":authority", ":path", "x-long"];
    stream.on("data", (bytes: Buffer) => seen.push([...names.map((name) => headers[name]), bytes.toString()]));
    held.push(stream);
  });
  const frames = requestFrames(partsOf(request), "http");
  for (let count = 0; count < 3; count++) client.send(frames);
  await until(() => held.length === 3 && seen.length === 3);
  const sent = ["POST", "http", "a.test", "/some?path", long, "body"];
  assert.deepEqual(seen, [sent, sent, sent]);
  assert.equal(client.open, 3);
  for (const stream of held) {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end("hello");
  }
  await until(() => client.open === 0);
  assert.deepEqual([client.completed, client.failure], [3, ""]);
});

test("another status, a short body, a reset and a GOAWAY are told", async (t) => {
  const cases: readonly (readonly [RegExp, (stream: ServerHttp2Stream) => void])[] = [
    [/another status/, (stream) => stream.respond({ ":status": 503 }, { endStream: true })],
    [/5 bytes short/, (stream) => stream.respond({ ":status": 200 }, { endStream: true })],
    [/reset with code 8/, (stream) => stream.close(8)],
    [/GOAWAY with code 11/, (stream) => stream.session?.goaway(11)],
  ];
  for (const [expected, answer] of cases) {
    const client = await openClient(t, (stream) => {
      stream.on("error", () => {});
      answer(stream);
    });
    client.send(requestFrames(partsOf(request), "http"));
    await until(() => client.failure !== "");
    assert.match(client.failure, expected);
    assert.equal(client.completed, 0);
  }
});
