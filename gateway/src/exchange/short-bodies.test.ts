/** Short bodies: what a coder that is kept makes is what a new one would, byte for byte, whatever it encoded before. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import type { ContentCoding } from "@sallyport/policies/filter";
import { Wheel } from "../time/wheel.ts";
import { encodeOnce, openKeptGzip } from "./coders.ts";
import { AT_ONCE } from "./kept-gzip.ts";
import { ShortBodies } from "./short-bodies.ts";

const DECODERS = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };
const CODINGS: readonly ContentCoding[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => ({ name: "gzip" as const, level })),
  ...[0, 3, 6].map((level) => ({ name: "br" as const, level })),
  ...[1, 2, 3, 4, 5, 6].map((level) => ({ name: "zstd" as const, level })),
];
const GZIP = { name: "gzip", level: 4 } as const;
const WORDS = Buffer.from("so many words ".repeat(2000)).subarray(0, AT_ONCE);

/** So few that the ends of bodies have been seen before, in this body and in others. */
const VOCABULARY = ["<td>", "token=", "</td>\n", "secret", "1", "23", "456", "price", '":"'];
const word = fc.constantFrom(...VOCABULARY);
const text = fc.array(word, { maxLength: 2000 }).map((words) => Buffer.from(words.join("")).subarray(0, AT_ONCE));
const noise = fc.tuple(fc.nat(AT_ONCE), fc.integer({ min: 1, max: 2_147_483_646 })).map(toNoise);
const body = fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: noise });

/** Whether all behind the header is the same: that says which system made it. */
function sameDeflated(one: Buffer, other: Buffer): boolean {
  return one.subarray(10).equals(other.subarray(10));
}

/** Texts of up to 200 words; always the same. */
function* toTexts(count: number): Generator<Buffer> {
  let state = 7;
  const next = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let i = 0; i < count; i++) {
    yield Buffer.from(Array.from({ length: next(200) }, () => VOCABULARY[next(VOCABULARY.length)]).join(""));
  }
}

/** The same for the same numbers. */
function toNoise([length, seed]: readonly [length: number, seed: number]): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (state * 48_271) % 2_147_483_647;
    bytes[i] = state >> 8;
  }
  return bytes;
}

for (const coding of CODINGS.filter(({ name }) => name === "gzip")) {
  test(`gzip at level ${coding.level} remembers nothing of the bodies before`, () => {
    const bodies = new ShortBodies(new Wheel(1000));
    // of a reset alone, one in thirty of these would show
    for (const bytes of toTexts(400)) {
      const encoded = bodies.encode(coding, bytes);
      assert.ok(gunzipSync(encoded).equals(bytes));
      assert.ok(sameDeflated(encoded, encodeOnce(coding, bytes)));
    }
    assert.equal(bodies.count, 1);
  });
}

test("bodies of all codings and levels in turn are each their own", () => {
  const bodies = new ShortBodies(new Wheel(1000));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...CODINGS), body), { maxLength: 12 }), (given) => {
      const made = given.map(([coding, bytes]) => bodies.encode(coding, bytes));
      // looked at when all are made: none may be written to again
      for (const [index, [{ name }, bytes]] of given.entries()) {
        assert.ok(DECODERS[name](made[index] ?? bytes).equals(bytes));
      }
    }),
    { numRuns: 60 },
  );
});

test("an empty body is a body", () => {
  const bodies = new ShortBodies(new Wheel(1000));
  for (const coding of CODINGS) {
    for (const bytes of [WORDS, Buffer.alloc(0), WORDS]) {
      assert.ok(DECODERS[coding.name](bodies.encode(coding, bytes)).equals(bytes));
    }
  }
});

test("what does not fit is encoded all the same, and the coder that began with it is not used again", () => {
  const bodies = new ShortBodies(new Wheel(1000));
  bodies.encode(GZIP, WORDS);
  const long = randomBytes(2 * AT_ONCE);
  assert.ok(gunzipSync(bodies.encode(GZIP, long)).equals(long));
  assert.equal(bodies.count, 0);
  assert.ok(sameDeflated(bodies.encode(GZIP, WORDS), encodeOnce(GZIP, WORDS)));
});

test("a coder whose stream is gone says that it cannot, and another takes its place", () => {
  const gone = openKeptGzip(4);
  assert.ok(gone.encode(WORDS) !== undefined);
  gone.destroy();
  assert.equal(gone.encode(WORDS), undefined);
});

test("coders go when nothing was encoded for ten seconds, and come back", () => {
  const wheel = new Wheel(1000);
  const bodies = new ShortBodies(wheel);
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) wheel.advance();
  };
  bodies.encode(GZIP, WORDS);
  bodies.encode({ name: "gzip", level: 9 }, WORDS);
  pass(8);
  bodies.encode(GZIP, WORDS);
  pass(8);
  assert.equal(bodies.count, 2);
  pass(4);
  assert.deepEqual([bodies.count, wheel.count], [0, 0]);
  assert.ok(sameDeflated(bodies.encode(GZIP, WORDS), encodeOnce(GZIP, WORDS)));
  assert.equal(bodies.count, 1);
});
