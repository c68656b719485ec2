/** Clients that do not read, behind one HTTP/2 connection to an endpoint that serves others as well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { FrameType } from "../../src/http2/frames.ts";
import { FrameServer } from "./frame-server.ts";

const { GOAWAY, WINDOW_UPDATE } = FrameType;
const WINDOW = 65_536;
const PIECE = "x".repeat(WINDOW / 4);

test("the client role of HTTP/2: who does not read holds up nobody else on the connection", async (t) => {
  const server = await FrameServer.open(t, "", { streamWindow: WINDOW, connectionWindow: 2 * WINDOW });
  const slow = [await server.request(), await server.request()];
  const quick = await server.request();
  await server.settle();
  const before = server.frames.length;
  for (const { id } of [...slow, quick]) server.answer(id, 200, "", false);
  for (const asked of slow) {
    asked.full = true;
    for (let i = 0; i < 4; i++) server.data(asked.id, PIECE);
  }
  for (let i = 0; i < 4; i++) server.data(quick.id, PIECE, i === 3);
  await eventually(() => server.closed || quick.ends === 1);
  assert.equal(quick.body.length, WINDOW);
  assert.ok(slow.every(({ body }) => body.length < WINDOW));
  slow[1]?.stream.cancel();
  if (slow[0] !== undefined) slow[0].full = false;
  slow[0]?.stream.resumeBody();
  await server.settle();
  assert.equal(slow[0]?.body.length, WINDOW);
  // every byte is given back once
  const updates = server.frames.slice(before).filter(({ type, stream }) => type === WINDOW_UPDATE && stream === 0);
  const given = updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
  assert.ok(given <= 3 * WINDOW && given > 2 * WINDOW, String(given));
  assert.ok(server.frames.every(({ type }) => type !== GOAWAY));
});
