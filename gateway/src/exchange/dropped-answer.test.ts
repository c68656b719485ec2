import assert from "node:assert/strict";
import { test } from "node:test";
import { Wheel } from "../time/wheel.ts";
import { DroppedAnswer, MOST_DROPPED } from "./dropped-answer.ts";

function open() {
  const wheel = new Wheel(250);
  const seen = { tooLong: 0 };
  const answer = new DroppedAnswer(wheel, () => seen.tooLong++);
  const piece = (bytes: number): void => void answer.onAnswerBody(Buffer.alloc(0), 0, bytes);
  const pass = (): void => {
    for (let tick = 0; tick < 8; tick++) wheel.advance();
  };
  return { wheel, seen, answer, piece, pass };
}

for (const end of ["onAnswerEnd", "onAnswerFailed"] as const) {
  test(`${end} is the end of waiting`, () => {
    const { wheel, seen, answer, piece, pass } = open();
    piece(MOST_DROPPED);
    answer[end]();
    assert.equal(wheel.count, 0);
    pass();
    assert.equal(seen.tooLong, 0);
  });
}

test("an answer that does not end is given up, once", () => {
  const { wheel, seen, piece, pass } = open();
  pass();
  piece(2 * MOST_DROPPED);
  assert.deepEqual([seen.tooLong, wheel.count], [1, 0]);
});

test("an answer that is too large is given up, once", () => {
  const { wheel, seen, piece, pass } = open();
  piece(MOST_DROPPED);
  assert.equal(seen.tooLong, 0);
  piece(1);
  piece(1);
  pass();
  assert.deepEqual([seen.tooLong, wheel.count], [1, 0]);
});
