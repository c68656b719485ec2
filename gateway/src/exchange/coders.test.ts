/** Coders: room for them, and that all levels say the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { ContentCoding } from "@sallyport/policies/filter";
import { CoderRoom, encodeAtOnce } from "./coders.ts";

const DECODERS = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };
const LEVELS: readonly ContentCoding[] = [
  ...[1, 4, 9].map((level) => ({ name: "gzip" as const, level })),
  ...[0, 3, 6].map((level) => ({ name: "br" as const, level })),
  ...[1, 3, 6].map((level) => ({ name: "zstd" as const, level })),
];

for (const coding of LEVELS) {
  test(`what ${coding.name} makes at level ${coding.level} says the same`, () => {
    const bytes = Buffer.from("so many words ".repeat(1000));
    for (const length of [0, 1, bytes.length]) {
      const encoded = encodeAtOnce(coding, bytes.subarray(0, length));
      assert.ok(DECODERS[coding.name](encoded).equals(bytes.subarray(0, length)));
    }
  });
}

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
