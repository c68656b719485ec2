import assert from "node:assert/strict";
import { test } from "node:test";
import { StrictReader, fieldValues } from "./strict-http.ts";
import type { Message } from "./strict-http.ts";

const REQUESTS =
  "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX: \xff\r\n\r\nhello" +
  "PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nworld\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n" +
  "GET /c HTTP/1.1\r\nHost: h\r\n\r\n";

function read(role: "request" | "response", ...pieces: readonly string[]): StrictReader {
  const reader = new StrictReader({ role });
  for (const piece of pieces) reader.push(Buffer.from(piece, "latin1"));
  return reader;
}

function outline(messages: readonly Message[]): unknown {
  return messages.map(({ method, target, body, trailers, complete }) => [method, target, body, trailers, complete]);
}

test("requests are the same wherever their bytes are split", () => {
  const whole = read("request", REQUESTS);
  assert.equal(whole.problem, undefined);
  assert.deepEqual(outline(whole.messages), [
    ["POST", "/a", "hello", [], true],
    ["PUT", "/b", "world!", [{ name: "X-Sum", value: "1" }], true],
    ["GET", "/c", "", [], true],
  ]);
  assert.deepEqual(fieldValues(whole.messages[0]?.fields ?? [], "x"), ["\xff"]);
  assert.deepEqual(whole.messages[1]?.chunkExtensions, [";x=y"]);
  for (let at = 1; at < REQUESTS.length; at += 1) {
    const split = read("request", REQUESTS.slice(0, at), REQUESTS.slice(at));
    assert.deepEqual(split.messages, whole.messages, `split at ${at}`);
    assert.ok(split.idle);
  }
});

for (const [name, bytes] of [
  ["a bare LF in a head that is not complete", "GET / HTTP/1.1\nHo"],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n"],
  ["a folded line", "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n"],
  ["two lengths", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"],
  ["a length and a coding", "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a length with a leading zero", "GET / HTTP/1.1\r\nContent-Length: 01\r\n\r\nx"],
  ["a coding in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a coding other than chunked", "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"],
  ["a chunk size that is not hex", "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"],
  ["a chunk longer than its size", "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n"],
  ["a NUL in a value", "GET / HTTP/1.1\r\nX: \0\r\n\r\n"],
  ["a target with a blank", "GET /a b HTTP/1.1\r\n\r\n"],
] as const) {
  test(`${name} is a problem`, () => {
    assert.notEqual(read("request", bytes).problem, undefined);
  });
}

test("a response without length ends with the connection, and only then is complete", () => {
  const reader = read("response", "HTTP/1.1 200 OK\r\n\r\nhello");
  assert.equal(reader.messages[0]?.complete, false);
  reader.end();
  assert.equal(reader.messages[0]?.complete, true);
});

test("a response that is cut stays incomplete", () => {
  const reader = read("response", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
  reader.end();
  assert.equal(reader.messages[0]?.complete, false);
  assert.equal(reader.problem, undefined);
});

test("answers to HEAD and 204, 304 and 1xx have no body", () => {
  const reader = new StrictReader({ role: "response", bodyless: (_response, index) => index === 0 });
  reader.push(
    Buffer.from(
      "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No\r\n\r\n" +
        "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    ),
  );
  assert.equal(reader.problem, undefined);
  assert.deepEqual(
    reader.messages.map((message) => [message.status, message.body]),
    [
      [103, ""],
      [200, ""],
      [204, ""],
      [304, ""],
      [200, "x"],
    ],
  );
});

test("what follows a 101 is a tunnel", () => {
  const reader = read("response", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n\x81\x02hi", "more");
  assert.equal(reader.tunnel, "\x81\x02himore");
});
