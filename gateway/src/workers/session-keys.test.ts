import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedSessionKeys } from "./session-keys.ts";

const read = (keys: SharedSessionKeys): { version: number; hex: string } => {
  const { version, bytes } = keys.read();
  return { version, hex: Buffer.from(bytes).toString("hex") };
};

test("every view reads the same keys, and new ones once they were made", () => {
  const supervisor = new SharedSessionKeys();
  const worker = new SharedSessionKeys(supervisor.buffer);
  const first = read(worker);
  assert.match(first.hex, /^[0-9a-f]{96}$/);
  assert.notEqual(first.hex, "00".repeat(48));
  assert.deepEqual(read(supervisor), first);
  assert.deepEqual(read(worker), first);
  supervisor.rotate();
  const second = read(worker);
  assert.notEqual(second.hex, first.hex);
  assert.notEqual(second.version, first.version);
  assert.deepEqual(read(supervisor), second);
});

test("keys that are being written are not read", () => {
  const supervisor = new SharedSessionKeys();
  const worker = new SharedSessionKeys(supervisor.buffer);
  const before = read(worker);
  const words = new Int32Array(supervisor.buffer);
  Atomics.add(words, 0, 1);
  words[5] = ~(words[5] ?? 0);
  assert.deepEqual(read(worker), before);
  Atomics.add(words, 0, 1);
  assert.notEqual(read(worker).hex, before.hex);
});
