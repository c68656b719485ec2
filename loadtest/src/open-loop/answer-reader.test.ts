import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerReader } from "./answer-reader.ts";

const answer = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 5\r\n\r\nhello";
const complete = { kind: "complete", status: 200 };

test("an answer is complete with its last byte, however it is cut", () => {
  for (let cut = 1; cut < answer.length; cut++) {
    const reader = new AnswerReader();
    assert.equal(reader.push(Buffer.from(answer.slice(0, cut))).kind, "more", `cut at ${cut}`);
    assert.deepEqual(reader.push(Buffer.from(answer.slice(cut))), complete, `cut at ${cut}`);
  }
});

test("answers follow each other, one byte at a time too, and the status is each one's own", () => {
  const reader = new AnswerReader();
  assert.deepEqual(reader.push(Buffer.from(answer)), complete);
  const bytes = answer
    .replace("200 OK", "503 No")
    .split("")
    .map((byte) => reader.push(Buffer.from(byte)));
  assert.deepEqual(bytes.pop(), { kind: "complete", status: 503 });
  assert.ok(bytes.every(({ kind }) => kind === "more"));
});

test("an answer without a body is complete with its head", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  assert.deepEqual(new AnswerReader().push(Buffer.from(head)), complete);
});

test("bytes behind an answer and answers without a length are errors", () => {
  assert.equal(new AnswerReader().push(Buffer.from(`${answer}!`)).kind, "invalid");
  assert.equal(new AnswerReader().push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n")).kind, "invalid");
  assert.equal(new AnswerReader().push(Buffer.from("SSH-2.0-x\r\n\r\n")).kind, "invalid");
});
