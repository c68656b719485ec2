/** Whatever both sides send, in whatever pieces, and whoever ends first: both receive what was sent. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { LeasingCluster } from "./leasing-cluster.ts";
import { openStreamRig, readAll, serve } from "./rig.ts";

const LARGEST = 400_000;

/** What one side does: pieces of these sizes; `after` waits for the other's FIN before its own. */
const side = fc.record({
  pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: LARGEST })), { maxLength: 8 }),
  ends: fc.constantFrom("first", "after"),
});

const PATTERN = Buffer.alloc(LARGEST + 256, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));

/** Bytes with a period that no buffer has, so that parts out of order differ, and another beginning for each piece. */
function toBytes(pieces: readonly number[], seed: number): Buffer[] {
  return pieces.map((size, i) => PATTERN.subarray((i * 7 + seed) & 0xff).subarray(0, size));
}

async function play(socket: Socket, pieces: readonly Buffer[], ends: "first" | "after"): Promise<Buffer> {
  const all = readAll(socket);
  for (const piece of pieces) {
    await new Promise<void>((resolve) => {
      socket.write(piece, () => setImmediate(resolve));
    });
  }
  if (ends === "first") socket.end();
  const received = await all;
  if (ends === "after") socket.end();
  return received;
}

for (const sockets of ["tuned", "documented"] as const) {
  test(`both sides receive what the other sent (${sockets})`, async (t) => {
    let onAccepted: (socket: Socket) => void = () => undefined;
    const port = await serve(t, (socket) => onAccepted(socket));
    const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port), sockets });
    await fc.assert(
      fc.asyncProperty(side, side, async (one, two) => {
        // somebody has to begin
        const ends = one.ends === "after" && two.ends === "after" ? "first" : two.ends;
        const [up, down] = [toBytes(one.pieces, 1), toBytes(two.pieces, 2)];
        const accepted = new Promise<Socket>((resolve) => {
          onAccepted = resolve;
        });
        const client = await rig.client();
        const [toClient, toServer] = await Promise.all([
          play(client, up, one.ends),
          accepted.then((server) => play(server, down, ends)),
        ]);
        assert.ok(toServer.equals(Buffer.concat(up)));
        assert.ok(toClient.equals(Buffer.concat(down)));
      }),
      { numRuns: 60 },
    );
    for (const { flag } of rig.records) assert.equal(flag, "-");
  });
}
