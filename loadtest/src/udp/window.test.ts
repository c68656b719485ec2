import assert from "node:assert/strict";
import { test } from "node:test";
import { DatagramWindow } from "./window.ts";

function openWindow(size: number): { window: DatagramWindow; sent: number[] } {
  const sent: number[] = [];
  const window = new DatagramWindow(size, (sequence) => sent.push(sequence));
  window.fill();
  return { window, sent };
}

test("a window is kept full: each datagram that returns is followed by one more", () => {
  const { window, sent } = openWindow(3);
  assert.deepEqual(sent, [0, 1, 2]);
  window.receive(1);
  window.receive(0);
  assert.deepEqual([sent, window.echoed], [[0, 1, 2, 3, 4], 2]);
});

test("a datagram counts once, and not at all when it was never sent", () => {
  const { window, sent } = openWindow(2);
  for (const sequence of [0, 0, 99]) window.receive(sequence);
  assert.deepEqual([sent.length, window.echoed], [3, 1]);
});

test("what is on its way for two looks is lost and makes room, single losses among arrivals too", () => {
  const { window, sent } = openWindow(2);
  window.receive(0);
  window.look();
  assert.equal(window.lost, 0);
  window.receive(2);
  window.look();
  assert.deepEqual([window.lost, window.echoed, sent], [1, 2, [0, 1, 2, 3, 4]]);
  window.receive(1);
  assert.equal(window.echoed, 2, "one that comes after it was given up");
});
