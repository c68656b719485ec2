// Message heads that two parsers could read differently once they are HTTP/1.1 (request splitting and smuggling by downgrade), and
// what RFC 9113 section 8 calls malformed. Nothing of them may reach a backend, and the connection goes on for honest requests.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Attacker, PATIENCE } from "./attacker.ts";
import { type Http2Edge, openHttp2Edge } from "./edge.ts";
import { ERROR, type FieldPair, FLAG, frame, get, headers, post, TYPE } from "./frames.ts";

const EVIL = "\r\nHost: evil.test\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test";

function request(method: string, scheme: string, authority: string, path: string): readonly FieldPair[] {
  return [
    [":method", method],
    [":scheme", scheme],
    [":authority", authority],
    [":path", path],
  ];
}

const GET = get();

/** Heads that must not pass, by what is wrong with them. */
const REFUSED: readonly (readonly [what: string, fields: readonly FieldPair[]])[] = [
  ["CRLF in a value", get("/", ["x-a", `b${EVIL}`])],
  ["LF in a value", get("/", ["x-a", "b\nc: d"])],
  ["CR in a value", get("/", ["x-a", "b\rc: d"])],
  ["NUL in a value", get("/", ["x-a", "b\0c"])],
  ["a control character in a value", get("/", ["x-a", "b\x01c"])],
  ["DEL in a value", get("/", ["x-a", "b\x7fc"])],
  ["a blank before a value", get("/", ["x-a", " b"])],
  ["a tab behind a value", get("/", ["x-a", "b\t"])],
  ["CRLF in a name", get("/", ["x-a: b\r\nx-c", "d"])],
  ["a colon in a name", get("/", ["x-a:b", "c"])],
  ["transfer-encoding behind a colon in a name", get("/", ["transfer-encoding:chunked", ""])],
  ["a blank in a name", get("/", ["x a", "b"])],
  ["a blank behind a name", get("/", ["x-a ", "b"])],
  ["an empty name", get("/", ["", "b"])],
  ["a name in upper case", get("/", ["X-A", "b"])],
  ["a name beyond ASCII", get("/", ["x-\xe9", "b"])],
  ["CRLF in :path", request("GET", "http", "a.test", `/ HTTP/1.1${EVIL}`)],
  ["a blank in :path", request("GET", "http", "a.test", "/a b")],
  ["a tab in :path", request("GET", "http", "a.test", "/a\tb")],
  ["a byte beyond ASCII in :path", request("GET", "http", "a.test", "/\xa0")],
  ["a fragment in :path", request("GET", "http", "a.test", "/a#b")],
  ["an empty :path", request("GET", "http", "a.test", "")],
  ["a :path without slash", request("GET", "http", "a.test", "a")],
  ["an absolute :path", request("GET", "http", "a.test", "http://evil.test/")],
  ["* for what is not OPTIONS", request("GET", "http", "a.test", "*")],
  ["CRLF in :method", request(`GET / HTTP/1.1${EVIL}\r\nX:`, "http", "a.test", "/")],
  ["a blank in :method", request("GET /admin", "http", "a.test", "/")],
  ["an empty :method", request("", "http", "a.test", "/")],
  ["CRLF in :authority", request("GET", "http", `a.test${EVIL}`, "/")],
  ["a blank in :authority", request("GET", "http", "a.test evil.test", "/")],
  ["userinfo in :authority", request("GET", "http", "a.test@evil.test", "/")],
  ["a slash in :authority", request("GET", "http", "a.test/evil", "/")],
  ["CRLF in :scheme", request("GET", `http://evil.test/${EVIL}`, "a.test", "/")],
  ["an unknown :scheme", request("GET", "ftp", "a.test", "/")],
  ["host that is not :authority", get("/", ["host", "evil.test"])],
  ["host twice", get("/", ["host", "a.test"], ["host", "evil.test"])],
  ["neither host nor :authority", GET.filter(([name]) => name !== ":authority")],
  ["no :method", GET.slice(1)],
  ["no :scheme", GET.filter(([name]) => name !== ":scheme")],
  ["no :path", GET.filter(([name]) => name !== ":path")],
  ...GET.map(([name, value]): readonly [string, readonly FieldPair[]] => [`${name} twice`, [...GET, [name, value]]]),
  ["a pseudo-field behind another field", [...GET.slice(0, 3), ["x-a", "b"], [":path", "/"]]],
  ["an unknown pseudo-field", get("/", [":evil", "1"])],
  [":status in a request", [[":status", "200"], ...GET]],
  ["connection", get("/", ["connection", "x-a"])],
  ["connection: close", get("/", ["connection", "close"])],
  ["keep-alive", get("/", ["keep-alive", "timeout=5"])],
  ["proxy-connection", get("/", ["proxy-connection", "keep-alive"])],
  ["transfer-encoding", post(["transfer-encoding", "chunked"])],
  ["upgrade", get("/", ["upgrade", "websocket"])],
  [
    "upgrade to h2c, with its settings",
    get("/", ["connection", "Upgrade, HTTP2-Settings"], ["upgrade", "h2c"], ["http2-settings", "AA"]),
  ],
  ["te that is not trailers", get("/", ["te", "trailers, chunked"])],
  ["content-length twice, and different", post(["content-length", "0"], ["content-length", "5"])],
  ["content-length with a sign", post(["content-length", "+0"])],
  ["content-length that is no number", post(["content-length", "0x0"])],
  ["content-length as a list of different ones", post(["content-length", "0, 1"])],
  ["content-length without body", post(["content-length", "5"])],
  ["CONNECT with :path", [[":method", "CONNECT"], ...GET.slice(1)]],
  [
    "CONNECT with a host nobody routes",
    [
      [":method", "CONNECT"],
      [":authority", "evil.test:443"],
    ],
  ],
  [
    "CONNECT without port",
    [
      [":method", "CONNECT"],
      [":authority", "a.test"],
    ],
  ],
  ["extended CONNECT to HTTP itself", [[":method", "CONNECT"], [":protocol", "h2c"], ...GET.slice(1)]],
  ["extended CONNECT with CRLF", [[":method", "CONNECT"], [":protocol", `websocket${EVIL}`], ...GET.slice(1)]],
  [":protocol of another method", [[":protocol", "websocket"], ...GET]],
];

/** Of what is wrong in more than a head: the frames, given the stream. */
const BROKEN_BODIES: readonly (readonly [what: string, frames: (id: number) => readonly Buffer[]])[] = [
  [
    "more DATA than content-length",
    (id) => [headers(id, post(["content-length", "1"]), "goes-on"), frame(TYPE.data, FLAG.endStream, id, `a${EVIL}`)],
  ],
  [
    "less DATA than content-length",
    (id) => [headers(id, post(["content-length", "9"]), "goes-on"), frame(TYPE.data, FLAG.endStream, id, "a")],
  ],
  ["trailers with a pseudo-field", (id) => [headers(id, post(), "goes-on"), headers(id, [[":path", "/smuggled"]])]],
  ["trailers with CRLF", (id) => [headers(id, post(), "goes-on"), headers(id, [["x-a", `b${EVIL}`]])]],
  ["trailers with upper case", (id) => [headers(id, post(), "goes-on"), headers(id, [["X-A", "b"]])]],
  [
    "trailers with transfer-encoding",
    (id) => [headers(id, post(), "goes-on"), headers(id, [["transfer-encoding", "chunked"]])],
  ],
  [
    "trailers that do not end the stream",
    (id) => [headers(id, post(), "goes-on"), headers(id, [["x-a", "b"]], "goes-on")],
  ],
];

describe("heads of HTTP/2 that must not become HTTP/1.1", () => {
  let edge: Http2Edge | undefined;
  const opened = (): Http2Edge => edge ?? assert.fail("not open");

  before(async () => {
    edge = await openHttp2Edge();
  });

  after(() => edge?.stop());

  /** Sends on stream 1; it must come to an end without a complete request at the backend, and stream 3 must be served. */
  async function assertRefused(frames: readonly Buffer[]): Promise<void> {
    opened().begin();
    const attacker = await Attacker.open(opened().port);
    try {
      attacker.send(...frames);
      const { status, reset } = await attacker.outcome(1);
      assert.ok(reset === ERROR.protocol || isRefusal(status), `status ${status}, reset ${reset}`);
      attacker.send(headers(3, get("/honest")));
      assert.equal((await attacker.outcome(3)).status, 200, "an honest request behind it");
      const whole = opened().upstream.requests.filter(({ message }) => message.complete);
      assert.deepEqual(
        whole.map(({ message }) => message.target),
        ["/honest"],
      );
      for (const { message, connection } of opened().upstream.requests) {
        assert.equal(connection.reader.problem, undefined);
        assert.doesNotMatch(JSON.stringify(message), /smuggled|evil/);
      }
    } finally {
      attacker.close();
    }
  }

  for (const [what, fields] of REFUSED) test(`${what} is refused`, () => assertRefused([headers(1, fields)]));

  for (const [what, frames] of BROKEN_BODIES)
    test(`${what}: the request does not become whole`, () => assertRefused(frames(1)));

  test("an upgrade to h2c is not taken, and not passed on", async () => {
    opened().begin();
    const attacker = await Attacker.openRaw(
      opened().port,
      "GET /one HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    );
    try {
      await attacker.signal.require(() => attacker.text.includes("\r\n\r\n"), PATIENCE, "an answer");
      assert.match(attacker.text, /^HTTP\/1\.1 200 /);
      const [seen] = opened().upstream.requests;
      assert.doesNotMatch(seen?.connection.received ?? "", /h2c|http2-settings|upgrade/i);
    } finally {
      attacker.close();
    }
  });

  test("extended CONNECT that the backend does not switch for is no success: there is no tunnel", async () => {
    opened().begin();
    const attacker = await Attacker.open(opened().port);
    try {
      attacker.send(headers(1, [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)], "goes-on"));
      const { status, reset } = await attacker.outcome(1);
      assert.ok(status < 200 || status > 299, `status ${status}, reset ${reset}`);
    } finally {
      attacker.close();
    }
  });

  test("cookie crumbs become one field, and what is honest passes", async () => {
    opened().begin();
    const attacker = await Attacker.open(opened().port);
    try {
      attacker.send(headers(1, get("/", ["cookie", "a=1"], ["cookie", "b=2"], ["te", "trailers"], ["x-a", "\xe9, b"])));
      assert.equal((await attacker.outcome(1)).status, 200);
      const fields = opened().upstream.requests[0]?.message.fields ?? [];
      const cookies = fields.filter(({ name }) => name.toLowerCase() === "cookie").map(({ value }) => value);
      assert.deepEqual(cookies, ["a=1; b=2"]);
    } finally {
      attacker.close();
    }
  });

  test("a backend connection that carried a broken body is not used again", async () => {
    opened().begin();
    const attacker = await Attacker.open(opened().port);
    try {
      attacker.send(headers(1, post(["content-length", "9"]), "goes-on"), frame(TYPE.data, FLAG.none, 1, "abc"));
      await opened().upstream.signal.require(() => opened().upstream.requests.length > 0, PATIENCE, "the request");
      attacker.send(frame(TYPE.data, FLAG.endStream, 1, "d"));
      assert.equal((await attacker.outcome(1)).reset, ERROR.protocol);
      const gone = (): boolean =>
        opened().upstream.requests.every(({ connection }) => connection.ended || connection.closed);
      await opened().upstream.signal.require(gone, PATIENCE, "the end of the backend connection");
    } finally {
      attacker.close();
    }
  });
});

function isRefusal(status: number): boolean {
  return [400, 404, 405, 421, 431, 501].includes(status);
}
