import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResponseHead } from "../head/response-head.ts";
import { AnswerFields } from "./answer-fields.ts";
import { classifyAnswerField, classifyRequestField } from "./field-checks.ts";
import { Field } from "./hpack/decoder.ts";
import { TrailerFields } from "./trailer-fields.ts";

type Pair = readonly [name: string, value: string];

const fields = new AnswerFields();

function build(pairs: readonly Pair[], ended = false): ResponseHead | undefined {
  fields.begin();
  for (const [name, value] of pairs) fields.onField(new Field(name, value, classifyAnswerField(name, value)));
  return fields.finish(ended);
}

const OK: Pair = [":status", "200"];

test("an answer is rendered for either version, and the same again is the same head", () => {
  const pairs: readonly Pair[] = [OK, ["content-type", "text/plain"], ["date", "now"], ["set-cookie", "a=1"]];
  const head = build(pairs);
  assert.equal(head?.toHttp1(), "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: now\r\nset-cookie: a=1\r\n");
  assert.equal(head.toFieldLines(), "content-type: text/plain\r\ndate: now\r\nset-cookie: a=1\r\n");
  assert.deepEqual([head.status, head.dated], [200, true]);
  assert.equal(build(pairs), head);
  assert.notEqual(build([OK]), head);
  assert.equal(build([[":status", "299"]])?.toHttp1(), "HTTP/1.1 299 \r\n");
});

test("an answer has one status, in front", () => {
  assert.equal(build([["a", "b"]]), undefined);
  assert.equal(build([OK, OK]), undefined);
  assert.equal(build([["a", "b"], OK]), undefined);
  for (const status of ["", "20", "2000", "099", "600", "+20", "2 0", "abc", "101"])
    assert.equal(build([[":status", status]]), undefined, status);
  assert.equal(build([OK, [":path", "/"]]), undefined);
});

test("what is of one connection, or no field, makes an answer malformed", () => {
  for (const [name, value] of [
    ["connection", "close"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["A", "1"],
    ["a", "\n"],
    ["a", " 1"],
    ["content-length", "x"],
  ] as const)
    assert.equal(build([OK, [name, value]]), undefined, name);
});

test("lengths that differ are no length", () => {
  assert.equal(build([OK, ["content-length", "5"], ["content-length", "6"]]), undefined);
  assert.equal(build([OK, ["content-length", "5"], ["content-length", "5"]])?.toFieldLines(), "content-length: 5\r\n");
  assert.equal(fields.contentLength, 5);
});

test("an interim head neither ends an answer nor has a body", () => {
  assert.equal(
    build([
      [":status", "103"],
      ["link", "</a>"],
    ])?.status,
    103,
  );
  assert.equal(build([[":status", "103"]], true), undefined);
  assert.equal(
    build([
      [":status", "103"],
      ["content-length", "0"],
    ]),
    undefined,
  );
});

test("an endless head is refused", () => {
  assert.equal(build([OK, ["a", "x".repeat(70_000)]]), undefined);
  assert.equal(build([OK, ...Array.from({ length: 201 }, (): Pair => ["a", "1"])]), undefined);
});

test("trailers pass but for those that would say something anew", () => {
  const trailers = new TrailerFields();
  const read = (pairs: readonly Pair[]): string | undefined => {
    trailers.begin();
    for (const [name, value] of pairs) trailers.onField(new Field(name, value, classifyRequestField(name, value)));
    return trailers.refused ? undefined : trailers.lines;
  };
  assert.equal(
    read([
      ["grpc-status", "0"],
      ["content-length", "1"],
      ["host", "b"],
      ["a_b", "1"],
      ["x-sum", "2"],
    ]),
    "grpc-status: 0\r\nx-sum: 2\r\n",
  );
  for (const pair of [
    [":path", "/"],
    ["connection", "x"],
    ["A", "1"],
    ["a", "x".repeat(17_000)],
  ] as const)
    assert.equal(read([pair]), undefined);
  assert.equal(read([]), "");
});
