import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestHead } from "./request-head.ts";
import { RequestIds } from "./request-id.ts";

const ids = new RequestIds(Buffer.alloc(9));

/** A head as a codec leaves it. */
function toHead(...fields: string[]): RequestHead {
  const head = new RequestHead();
  const line = "GET /a/b?c HTTP/1.1\r\n";
  const host = "Host: example.com\r\n";
  head.text = line + host + fields.map((field) => `${field}\r\n`).join("");
  head.fieldsAt = line.length;
  head.hostFrom = line.length;
  head.hostTo = line.length + host.length;
  head.method = "GET";
  head.extra = "x-forwarded-for: 192.0.2.1\r\n";
  head.settle("/a/b?c", "example.com");
  head.identify(ids);
  return head;
}

test("an untouched head goes out as it came", () => {
  const head = toHead("A: 1");
  assert.equal(
    head.toHttp1(),
    `GET /a/b?c HTTP/1.1\r\nHost: example.com\r\nA: 1\r\nx-forwarded-for: 192.0.2.1\r\nx-request-id: ${head.requestId}\r\n\r\n`,
  );
  assert.equal(head.toHttp1(), head.toHttp1());
});

test("path and query are told apart, and follow a new path", () => {
  const head = toHead();
  assert.deepEqual([head.routePath, head.routeQuery], ["/a/b", "c"]);
  head.path = "/x";
  assert.deepEqual([head.routePath, head.routeQuery], ["/x", ""]);
});

test("conditions see Host, whatever its case, and it is changed by the authority alone", () => {
  const head = toHead();
  head.setHeader("Host", "other.test");
  assert.equal(head.header("Host"), "example.com");
  head.authority = "new.test";
  assert.equal(head.header("host"), "new.test");
});

test("a new path and authority go upstream, and are undone", () => {
  const head = toHead("A: 1");
  head.path = "/new?q";
  head.authority = "other.example:8080";
  assert.match(head.toHttp1(), /^GET \/new\?q HTTP\/1\.1\r\nhost: other\.example:8080\r\nA: 1\r\nx-forwarded-for/);
  head.resetEdits();
  assert.match(head.toHttp1(), /^GET \/a\/b\?c HTTP\/1\.1\r\nHost: example\.com\r\nA: 1/);
  assert.equal(head.authority, "example.com");
});

test("edits show at once, after it was rendered too", () => {
  const head = toHead("A: 1");
  head.toHttp1();
  head.setHeader("A", "2");
  head.removeHeader("X-Forwarded-For");
  assert.match(head.toHttp1(), /^GET \/a\/b\?c HTTP\/1\.1\r\nHost: example\.com\r\nA: 2\r\nx-request-id: /);
});

test("the request id can be read, replaced, joined and removed", () => {
  const head = toHead();
  const made = head.header("X-Request-Id");
  assert.equal(made, head.requestId);
  assert.ok(head.idTouched);
  head.addHeader("X-Request-Id", "b");
  assert.match(head.toHttp1(), new RegExp(`\r\nX-Request-Id: ${made},b\r\n\r\n$`));
  head.addHeader("X-Request-Id", "c");
  assert.match(head.toHttp1(), new RegExp(`\r\nX-Request-Id: ${made},b,c\r\n\r\n$`));
  head.setHeader("x-request-id", "mine");
  assert.match(head.toHttp1(), /\r\nx-request-id: mine\r\n\r\n$/);
  head.removeHeader("x-request-id");
  assert.doesNotMatch(head.toHttp1(), /x-request-id/);
  head.resetEdits();
  assert.match(head.toHttp1(), new RegExp(`\r\nx-request-id: ${made}\r\n\r\n$`));
});

test("an id that was received is not made anew", () => {
  const head = toHead("X-Request-Id: theirs");
  head.receivedId = "theirs";
  head.identify(ids);
  assert.equal(head.requestId, "theirs");
  assert.match(head.toHttp1(), /\r\nX-Request-Id: theirs\r\nx-forwarded-for: 192\.0\.2\.1\r\n\r\n$/);
});

test("framing, expectation, upgrade and TE are written by the head itself", () => {
  const head = toHead();
  head.framing = "stream";
  head.expectsContinue = true;
  head.takesTrailers = true;
  assert.match(
    head.toHttp1(),
    /transfer-encoding: chunked\r\nexpect: 100-continue\r\nconnection: te\r\nte: trailers\r\n/,
  );
  const upgrade = toHead();
  upgrade.upgrade = "websocket";
  assert.match(upgrade.toHttp1(), /connection: upgrade\r\nupgrade: websocket\r\n/);
});

test("a copy for a mirror says the same, but expects and upgrades nothing", () => {
  const head = toHead("A: 1");
  head.setHeader("B", "2");
  head.path = "/m";
  const copy = head.copy();
  assert.equal(copy.toHttp1(), head.toHttp1());
  head.setHeader("B", "3");
  assert.match(copy.toHttp1(), /B: 2/);
  head.upgrade = "websocket";
  head.expectsContinue = true;
  assert.doesNotMatch(head.copy().toHttp1(), /websocket|expect/);
});
