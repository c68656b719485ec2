/** How long a connection lingers behind its last answer. */
import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { Timed, Wheel } from "../time/wheel.ts";
import { LINGER, lingerBehindAnswer } from "./lingering-close.ts";

const TICK = 500;
const PATIENCE = 30_000;

class Connection extends Timed {
  late = false;

  override onLate(): void {
    this.late = true;
  }
}

function begin(): { connection: Connection; socket: Socket; pass: (milliseconds: number) => void } {
  const wheel = new Wheel(TICK);
  const connection = new Connection();
  const socket = new Socket();
  lingerBehindAnswer(connection, wheel, socket, PATIENCE);
  const pass = (milliseconds: number): void => {
    for (let at = 0; at < milliseconds; at += TICK) wheel.advance();
  };
  return { connection, socket, pass };
}

test("who reads a last answer is waited for, but not for ever", () => {
  const { connection, pass } = begin();
  pass(PATIENCE);
  assert.ok(!connection.late);
  pass(TICK);
  assert.ok(connection.late);
});

test("what is sent is followed by a short while of reading on", () => {
  const { connection, socket, pass } = begin();
  pass(PATIENCE / 2);
  socket.emit("finish");
  pass(LINGER);
  assert.ok(!connection.late);
  pass(TICK);
  assert.ok(connection.late);
});

test("the short while follows however late the last byte left", () => {
  const { connection, socket, pass } = begin();
  pass(PATIENCE - TICK);
  socket.emit("finish");
  pass(LINGER);
  assert.ok(!connection.late);
  pass(TICK);
  assert.ok(connection.late);
});
