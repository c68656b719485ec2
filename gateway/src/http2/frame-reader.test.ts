/** The frame reader: the same however the bytes are split, and never a throw. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameReader } from "./frame-reader.ts";
import type { FrameSink } from "./frame-sink.ts";
import { Flag, frameHeader, FrameType, PREFACE, word } from "./frames.ts";

/** Notes what it is told; pieces of one DATA frame are joined. */
class Notes implements FrameSink {
  readonly seen: string[] = [];
  onBlockBegun(): void {
    // when is not the same for every split
  }
  onBlock(...[facts, bytes, from, to]: Parameters<FrameSink["onBlock"]>): void {
    this.seen.push(`block ${facts.stream} ${facts.endStream} ${bytes.toString("latin1", from, to)}`);
  }
  onDataBegin(stream: number, length: number, endStream: boolean): void {
    this.seen.push(`data ${stream} ${length} ${endStream} `);
  }
  onDataPiece(bytes: Buffer, from: number, to: number): void {
    this.seen.push(`${this.seen.pop() ?? ""}${bytes.toString("latin1", from, to)}`);
  }
  onDataPadding(count: number): void {
    this.seen.push(`${this.seen.pop() ?? ""}[${count}]`);
  }
  onDataEnd(): void {
    this.seen.push("end");
  }
  onControl(...[type, flags, stream, { bytes, from, to }]: Parameters<FrameSink["onControl"]>): void {
    this.seen.push(`${type} ${flags} ${stream} ${bytes.toString("latin1", from, to)}`);
  }
  fail(code: number): void {
    this.seen.push(`fail ${code}`);
  }
}

const frame = (type: number, flags: number, stream: number, payload = ""): string =>
  frameHeader(payload.length, type, flags, stream) + payload;

const WHOLE =
  PREFACE +
  frame(FrameType.SETTINGS, 0, 0, `\0\x03${word(7)}`) +
  frame(FrameType.HEADERS, Flag.PADDED | Flag.PRIORITY | Flag.END_STREAM, 1, `\x02${word(0)}\x10abcPP`) +
  frame(FrameType.CONTINUATION, 0, 1, "") +
  frame(FrameType.CONTINUATION, Flag.END_HEADERS, 1, "def") +
  frame(FrameType.DATA, Flag.PADDED, 3, "\x03contentPPP") +
  frame(FrameType.DATA, Flag.END_STREAM, 3, "") +
  frame(99, 255, 5, "unknown") +
  frame(FrameType.PING, 0, 0, "12345678") +
  frame(FrameType.GOAWAY, 0, 0, `${word(1)}${word(0)}a word about it`) +
  frame(FrameType.WINDOW_UPDATE, 0, 3, word(5)) +
  frame(FrameType.PING, 0, 1, "12345678");

function read(bytes: Buffer, cuts: readonly number[]): string[] {
  const notes = new Notes();
  const reader = new FrameReader(notes, { bytes: 65_536, frames: 32 }, "preface");
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    reader.read(bytes, from, to);
    from = to;
  }
  return notes.seen;
}

test("frames are the same however their bytes are split", () => {
  const bytes = Buffer.from(WHOLE, "latin1");
  const expected = read(bytes, []);
  assert.deepEqual(expected.slice(0, 5), [
    `4 0 0 \0\x03${word(7)}`,
    "block 1 true abcdef",
    "data 3 11 false [4]content",
    "end",
    "data 3 0 true ",
  ]);
  assert.equal(expected.at(-1), "fail 1");
  for (let cut = 1; cut < bytes.length; cut++) assert.deepEqual(read(bytes, [cut]), expected, `cut at ${cut}`);
  const every = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
  assert.deepEqual(read(bytes, every), expected);
});

test("whatever comes behind the preface is read without a throw, and after a failure nothing is", () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 300; round++) {
    let text = PREFACE + frame(FrameType.SETTINGS, 0, 0);
    for (let i = 0; i < 20; i++) {
      const payload = String.fromCharCode(...Array.from({ length: random(12) }, () => random(256)));
      text += frame(random(18), random(256), random(4), payload);
    }
    const bytes = Buffer.from(text, "latin1");
    const seen = read(bytes, []);
    const failed = seen.findIndex((line) => line.startsWith("fail"));
    assert.ok(failed < 0 || failed === seen.length - 1, "something was read behind a failure");
    const cut = 1 + random(bytes.length - 1);
    assert.deepEqual(read(bytes, [cut]), seen);
  }
});
