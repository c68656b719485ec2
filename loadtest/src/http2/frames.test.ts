import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, FrameCutter, frameFlags, frameTypes, saysOk, type ReceivedFrame } from "./frames.ts";

function headers(payload: readonly number[], flags = 0): ReceivedFrame {
  return { type: frameTypes.headers, flags, stream: 1, payload: Buffer.from(payload) };
}

test("frames are found however the bytes are cut", () => {
  const bytes = Buffer.concat([frame(frameTypes.data, 1, 7, Buffer.from("hello")), frame(frameTypes.settings, 0, 0)]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const seen: string[] = [];
    const cutter = new FrameCutter(({ type, flags, stream, payload }) => {
      seen.push([type, flags, stream, payload.toString()].join());
    });
    cutter.push(bytes.subarray(0, cut));
    cutter.push(bytes.subarray(cut));
    assert.deepEqual(seen, ["0,1,7,hello", "4,0,0,"], `cut at ${cut}`);
  }
});

test("200 is told from other statuses, behind changes of the table's size, padding and priority", () => {
  assert.ok(saysOk(headers([0x88])));
  assert.ok(saysOk(headers([0x20, 0x3f, 0xe1, 0x1f, 0x88, 0x40])));
  assert.ok(saysOk(headers([2, 0, 0, 0, 0, 16, 0x88, 0, 0], frameFlags.padded | frameFlags.priority)));
  for (const other of [[], [0x8c], [0x89], [0x48, 0x03, 0x34, 0x30, 0x34], [0x20]]) assert.ok(!saysOk(headers(other)));
});
