/** Answers that wait for their clients on one HTTP/2 connection to an endpoint: however many they are, they hold up no other answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { type Asked, FrameServer } from "./frame-server.ts";

const WINDOW = 4_194_304;
const PIECE = "x".repeat(16_384);
/** MAX_CONCURRENT_STREAMS: as many as anybody wants. */
const MANY = "\0\x03\0\0\x10\0";

test("the client role of HTTP/2: a connection carries no more answers than may wait on it at once", async (t) => {
  const server = await FrameServer.open(t, MANY, { streamWindow: WINDOW });
  await server.settle();
  const { capacity } = server.connection;
  const slow: Asked[] = [];
  // more than some would show what becomes of the connection, but no sooner
  for (let i = 1; i < Math.min(capacity, 16); i++) slow.push(await server.request());
  const quick = await server.request();
  for (const asked of slow) {
    asked.full = true;
    server.answer(asked.id, 200, "", false);
    for (let sent = 0; sent < WINDOW; sent += PIECE.length) server.data(asked.id, PIECE);
  }
  server.answer(quick.id, 200, "", false);
  for (let sent = 0; sent < WINDOW; sent += PIECE.length) server.data(quick.id, PIECE);
  server.data(quick.id, "", true);
  await eventually(() => server.closed || quick.ends === 1, { what: "the answer to a client that reads" });
  assert.equal(quick.body.length, WINDOW);
  assert.ok(slow.every(({ body }) => body.length < WINDOW));
});

test("the client role of HTTP/2: how many answers a connection carries follows from their windows", async (t) => {
  for (const [streamWindow, capacity] of [
    [262_144, 128],
    [65_536, 512],
    [1_073_741_824, 1],
    [16, 1024],
  ] as const) {
    const server = await FrameServer.open(t, MANY, { streamWindow });
    await server.settle();
    assert.equal(server.connection.capacity, capacity);
  }
});
