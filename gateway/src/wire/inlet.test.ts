import assert from "node:assert/strict";
import { test } from "node:test";
import type { BodyLease } from "../exchange/contract.ts";
import { Inlet } from "./inlet.ts";
import { LARGE_READ_SIZE, READ_SIZE, sharedReadBuffer } from "./read-buffer.ts";

/** An inlet driven as a socket drives it: ask for memory, fill it, deliver. */
function drive(): {
  readonly inlet: Inlet;
  readonly read: (count: number) => { bytes: Buffer; lease: BodyLease | undefined; more: boolean };
} {
  const inlet = new Inlet();
  let lease: BodyLease | undefined;
  inlet.deliverTo({
    onBytes: (_bytes, _from, _to, given) => {
      lease = given;
    },
  });
  const { onread } = inlet;
  let next = onread.buffer() ?? Buffer.alloc(0);
  return {
    inlet,
    read: (count) => {
      const bytes = next;
      const more = onread.callback(count, bytes);
      next = onread.buffer() ?? next;
      return { bytes, lease, more };
    },
  };
}

test("small reads share one buffer, whose bytes may not be kept", () => {
  const { read } = drive();
  const { bytes, lease, more } = read(10);
  assert.equal(bytes, sharedReadBuffer());
  assert.equal(lease, undefined);
  assert.ok(more);
});

test("a large body is read into memory of its own, which grows while all of it goes out at once", () => {
  const { inlet, read } = drive();
  inlet.widen();
  read(READ_SIZE);
  const first = read(READ_SIZE);
  assert.equal(first.bytes.length, READ_SIZE);
  assert.ok(first.lease !== undefined);
  inlet.settle(first.lease, "taken", READ_SIZE);
  read(READ_SIZE);
  const second = read(READ_SIZE);
  assert.equal(second.bytes.length, LARGE_READ_SIZE);
  inlet.close();
});

test("memory that is held is not read into again before it is given back", () => {
  const { inlet, read } = drive();
  inlet.widen();
  read(READ_SIZE);
  const held = new Set<Buffer>();
  let giveBack: () => void = () => undefined;
  for (let i = 0; i < 5; i++) {
    const { bytes, lease } = read(1000);
    assert.ok(!held.has(bytes));
    held.add(bytes);
    giveBack = lease?.hold() ?? giveBack;
    inlet.settle(lease, "held", 1000);
    read(1);
  }
  giveBack();
  inlet.close();
});

test("narrowing waits for the end of the read under way", () => {
  const { inlet, read } = drive();
  inlet.widen();
  read(10);
  inlet.narrow();
  assert.notEqual(read(10).bytes, sharedReadBuffer());
  assert.equal(read(10).bytes, sharedReadBuffer());
});

test("a paused inlet stops the socket", () => {
  const { inlet, read } = drive();
  inlet.deliverTo({ onBytes: () => inlet.pause() });
  assert.equal(read(10).more, false);
  assert.ok(inlet.paused);
});
