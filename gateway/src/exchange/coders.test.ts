/** Coders: room for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CoderRoom } from "./coders.ts";

test("there is room for so many bytes of coders, and what is freed can be taken again", () => {
  const room = new CoderRoom(3 * 2_097_152);
  const coding = { name: "br", level: 3 } as const;
  assert.deepEqual(
    [room.take(coding), room.take(coding), room.take(coding), room.take(coding)],
    [true, true, true, false],
  );
  assert.equal(room.take({ name: "gzip", level: 9 }), false);
  room.free(coding);
  assert.equal(room.take({ name: "br", level: 6 }), false);
  assert.ok(room.take({ name: "gzip", level: 9 }));
  assert.equal(room.taken, 2 * 2_097_152 + 524_288);
});
