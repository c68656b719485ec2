/** Handshakes of WebSocket between versions of HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestHead } from "./request-head.ts";
import { toResponseHead } from "./response-head.ts";
import { checkAccept, keyOfLines, toAccept, toHandshakeLines, withAccept, withoutKey } from "./websocket.ts";

// RFC 6455 section 1.3
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

function toHead(fields: string, version: RequestHead["version"] = "HTTP/2"): RequestHead {
  const head = new RequestHead();
  const line = "GET /chat HTTP/1.1\r\n";
  head.text = line + fields;
  head.fieldsAt = line.length;
  head.method = "GET";
  head.upgrade = "websocket";
  head.version = version;
  head.settle("/chat", "x");
  return head;
}

test("the accept is that of the RFC", () => {
  assert.equal(toAccept(KEY), ACCEPT);
});

test("a request from HTTP/2 gets a key of sixteen bytes, and the version where it has none", () => {
  const lines = toHandshakeLines(toHead(""));
  assert.match(lines, /^sec-websocket-key: [A-Za-z0-9+/]{22}==\r\nsec-websocket-version: 13\r\n$/);
  assert.equal(Buffer.from(keyOfLines(lines), "base64").length, 16);
  assert.notEqual(toHandshakeLines(toHead("")), lines);
  assert.doesNotMatch(toHandshakeLines(toHead("sec-websocket-version: 13\r\n")), /version/);
  assert.equal(toHandshakeLines(toHead("", "HTTP/1.1")), "");
});

test("an accept is checked and taken away", () => {
  const answer = toResponseHead(
    {
      status: 101,
      headers: [
        ["Sec-WebSocket-Accept", ACCEPT],
        ["x-a", "1"],
      ],
    },
    0,
  );
  const checked = checkAccept(answer, KEY);
  assert.deepEqual([checked?.lookup("sec-websocket-accept"), checked?.lookup("x-a")], [undefined, "1"]);
  assert.equal(answer.lookup("sec-websocket-accept"), ACCEPT, "the head of others is left alone");
  assert.equal(checkAccept(answer, "other"), undefined);
  assert.equal(checkAccept(toResponseHead({ status: 101, headers: [] }, 0), KEY), undefined);
});

test("a client of HTTP/1.1 gets the accept for its key, once", () => {
  const head = toHead(`Sec-WebSocket-Key: ${KEY}\r\n`, "HTTP/1.1");
  const answer = toResponseHead({ status: 101, headers: [] }, 0);
  const accepted = withAccept(answer, head);
  assert.equal(accepted.lookup("sec-websocket-accept"), ACCEPT);
  assert.equal(withAccept(accepted, head), accepted);
  assert.equal(withAccept(answer, toHead("", "HTTP/1.1")), answer, "no key, no accept");
});

test("the key does not go out over HTTP/2", () => {
  assert.equal(withoutKey(`a: 1\r\nSec-WebSocket-KEY: ${KEY}\r\nb: 2\r\n`), "a: 1\r\nb: 2\r\n");
  assert.equal(toHead(`a: 1\r\nSec-WebSocket-Key: ${KEY}\r\n`, "HTTP/1.1").toFieldLines(), "a: 1\r\n");
  assert.doesNotMatch(toHead(`Sec-WebSocket-Key: ${KEY}\r\n`).toHttp1(), /key/i, "nor does one that came over it");
  assert.match(toHead(`Sec-WebSocket-Key: ${KEY}\r\n`, "HTTP/1.1").toHttp1(), /\r\nSec-WebSocket-Key: /);
});
