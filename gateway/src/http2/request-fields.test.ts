import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { REQUEST_CONNECTION } from "../../test/http2/request-connection.ts";
import { RequestHead } from "../head/request-head.ts";
import { RequestIds } from "../head/request-id.ts";
import { classifyRequestField } from "./field-checks.ts";
import { Field } from "./hpack/decoder.ts";
import { RequestFields, type RequestOptions } from "./request-fields.ts";

type Pair = readonly [name: string, value: string];

const EDGE: RequestOptions = DEFAULT_HTTP_SERVER_OPTIONS;
const GET: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/p?q"],
  [":authority", "a.test"],
];
const POST: readonly Pair[] = [[":method", "POST"], ...GET.slice(1)];
const WEBSOCKET: readonly Pair[] = [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)];
const IDENTITY = "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\n";
const ids = new RequestIds(Buffer.alloc(9));

interface Outcome {
  readonly head: RequestHead;
  readonly ok: boolean;
  readonly fields: RequestFields;
}

function build(pairs: readonly Pair[], ended = true, options: Partial<RequestOptions> = {}): Outcome {
  const fields = new RequestFields(REQUEST_CONNECTION, { ...EDGE, ...options });
  const head = new RequestHead();
  return { fields, head, ok: feed(fields, pairs, head, ended) };
}

function feed(fields: RequestFields, pairs: readonly Pair[], head: RequestHead, ended: boolean): boolean {
  fields.begin();
  for (const [name, value] of pairs) fields.onField(new Field(name, value, classifyRequestField(name, value)));
  return fields.finish(head, ended);
}

function good(pairs: readonly Pair[], ended = true, options: Partial<RequestOptions> = {}): RequestHead {
  const { head, ok, fields } = build(pairs, ended, options);
  assert.ok(ok, fields.detail);
  return head;
}

function isMalformed(pairs: readonly Pair[], detail: RegExp, ended = true): void {
  const { ok, fields } = build(pairs, ended);
  assert.ok(!ok && fields.malformed, `${JSON.stringify(pairs)} was not malformed`);
  assert.match(fields.detail, detail);
}

function isRefused(pairs: readonly Pair[], fault: string, options: Partial<RequestOptions> = {}): void {
  const { ok, fields } = build(pairs, true, options);
  assert.deepEqual([ok, fields.malformed, fields.fault], [false, false, fault], JSON.stringify(pairs));
}

test("a request is rendered for either version", () => {
  const head = good([...GET, ["accept", "*/*"], ["priority", "u=1"]]);
  assert.equal(head.text, "GET /p?q HTTP/1.1\r\nhost: a.test\r\naccept: */*\r\npriority: u=1\r\n");
  assert.ok(head.toHttp1().startsWith(`${head.text}${IDENTITY}`));
  assert.equal(head.toFieldLines(), `accept: */*\r\npriority: u=1\r\n${IDENTITY}`);
  assert.deepEqual(
    [head.method, head.path, head.host, head.framing, head.version],
    ["GET", "/p?q", "a.test", "none", "HTTP/2"],
  );
  assert.equal(head.header("accept"), "*/*");
});

test("framing follows END_STREAM and Content-Length", () => {
  assert.equal(good(POST, true).framing, "none");
  assert.equal(good(POST, false).framing, "stream");
  const sized = good([...POST, ["content-length", "5"]], false);
  assert.deepEqual([sized.framing, sized.contentLength], ["length", 5]);
  assert.match(sized.toHttp1(), /\r\ncontent-length: 5\r\n/);
  isMalformed([...POST, ["content-length", "5"]], /announced/, true);
});

test("pseudo-fields come once, first, complete and known", () => {
  isMalformed([...GET, [":method", "GET"]], /second/);
  isMalformed([...GET, ["a", "b"], [":authority", "a"]], /behind/);
  isMalformed([...GET, [":unknown", "1"]], /pseudo/);
  isMalformed([...GET, [":status", "200"]], /pseudo/);
  isMalformed([...GET, [":protocol", "websocket"]], /CONNECT/);
  for (let i = 0; i < 3; i++) isMalformed(GET.toSpliced(i, 1), /no :method/);
});

test("what would be something else behind us is malformed", () => {
  for (const [name, value] of [
    ["A", "1"],
    ["a b", "1"],
    ["a:b", "1"],
    ["", "1"],
    ["a\r\nb", "1"],
    ["a", "1\r\nx: y"],
    ["a", "\0"],
    ["a", "\x7f"],
    ["a", " 1"],
    ["a", "1\t"],
    ["connection", "close"],
    ["keep-alive", "1"],
    ["proxy-connection", "x"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["te", "gzip"],
    ["content-length", "+1"],
    ["content-length", "01"],
    ["content-length", "1, 1"],
    ["content-length", ""],
  ] as const)
    isMalformed([...POST, [name, value]], /./, false);
  isMalformed([...POST, ["content-length", "1"], ["content-length", "1"]], /second/, false);
  for (const path of ["", "p", "/a b", "/a\t", "/a#b", "/\x7f", "/\xe9", "http://a/", "*", "//a b"])
    isMalformed(GET.with(2, [":path", path]), /path|pseudo/);
  for (const method of ["", "GE T", "G\r\n", "GET:"]) isMalformed(GET.with(0, [":method", method]), /pseudo/);
});

test("OPTIONS may ask about the server as a whole", () => {
  assert.equal(
    good([
      [":method", "OPTIONS"],
      [":scheme", "https"],
      [":path", "*"],
      [":authority", "a"],
    ]).path,
    "*",
  );
});

test("Host stands in for :authority, and says the same beside it", () => {
  const head = good([...GET.slice(0, 3), ["host", "A.test:443"]]);
  assert.deepEqual([head.host, head.authority], ["a.test", "A.test:443"]);
  assert.equal(head.text.match(/host:/gi)?.length, 1);
  assert.equal(good([...GET, ["host", "A.TEST"]]).authority, "a.test");
  isMalformed([...GET, ["host", "b.test"]], /Host/);
  isMalformed([...GET, ["host", "a.test"], ["host", "a.test"]], /second Host/);
  isRefused(GET.slice(0, 3), "bad-request");
  isRefused([...GET.slice(0, 3), ["host", "a,b"]], "bad-request");
  for (const authority of ["", "user@a", "a/b", "a:99999", "[::1", "a b"])
    isRefused(GET.with(3, [":authority", authority]), "bad-request");
});

test("what is well-formed and not served is answered", () => {
  isRefused(GET.with(0, [":method", "X".repeat(33)]), "unsupported-method");
  isRefused(GET.with(1, [":scheme", "ftp"]), "bad-request");
  isRefused(GET.with(2, [":path", "/a%00"]), "bad-request");
  isRefused([...GET, ["expect", "gold"]], "expectation-failed");
  isRefused([...GET, ["a_b", "1"]], "bad-request");
  assert.ok(!good([...GET, ["a_b", "1"]], true, { underscores: "drop" }).text.includes("a_b"));
  assert.ok(good([...GET, ["a_b", "1"]], true, { underscores: "allow" }).text.includes("a_b: 1"));
  // of proxies that took TLS off in front of us
  assert.equal(good(GET.with(1, [":scheme", "http"])).scheme, "https");
});

test("too much is refused as such, whatever else is wrong with it", () => {
  isRefused([...GET, ["a", "x".repeat(70_000)], ["B", "1"]], "head-too-large");
  isRefused(GET.with(2, [":path", `/${"x".repeat(70_000)}`]), "uri-too-long");
  isRefused([...GET, ...Array.from({ length: 101 }, (): Pair => ["a", "1"])], "head-too-large");
  assert.ok(build([...GET, ...Array.from({ length: 200 }, (): Pair => ["cookie", "a=1"])]).ok);
});

test("cookies are one field", () => {
  const head = good([...GET, ["cookie", "a=1"], ["x", "y"], ["cookie", "b=2"]]);
  assert.ok(head.text.endsWith("x: y\r\ncookie: a=1; b=2\r\n"));
});

test("fields of one hop are said anew or not at all", () => {
  const head = good(
    [...POST, ["te", "trailers"], ["expect", "100-Continue"], ["http2-settings", "x"], ["trailer", "x-sum"]],
    false,
  );
  assert.deepEqual([head.takesTrailers, head.expectsContinue], [true, true]);
  assert.equal(head.text, "POST /p?q HTTP/1.1\r\nhost: a.test\r\ntrailer: x-sum\r\n");
  assert.equal(head.toFieldLines(), `trailer: x-sum\r\n${IDENTITY}expect: 100-continue\r\nte: trailers\r\n`);
  assert.ok(!good([...POST, ["trailer", "host"]], false).text.includes("trailer"));
});

test("gRPC calls are known by their content", () => {
  for (const type of ["application/grpc", "application/grpc+proto", "application/GRPC;x=y"])
    assert.ok(good([...POST, ["content-type", type]], false).isGrpc);
  for (const type of ["application/grpc-web", "application/grpcx", "text/plain"])
    assert.ok(!good([...POST, ["content-type", type]], false).isGrpc);
});

test("only trusted proxies say who the client is", () => {
  const claims: readonly Pair[] = [
    ["x-forwarded-for", "198.51.100.7"],
    ["x-request-id", "mine"],
    ["x-real-ip", "1.1.1.1"],
    ["x-forwarded-host", "b"],
  ];
  const edge = good([...GET, ...claims]);
  assert.deepEqual([edge.clientAddress, edge.receivedId], ["192.0.2.1", ""]);
  assert.equal(edge.toFieldLines(), IDENTITY);
  const behind = good([...GET, ...claims, ["x-request-id", "other"]], true, { trustedHops: 1 });
  assert.deepEqual([behind.clientAddress, behind.receivedId], ["198.51.100.7", "mine"]);
  assert.match(
    behind.toFieldLines(),
    /^x-request-id: mine\r\nx-real-ip: 1.1.1.1\r\nx-forwarded-host: b\r\nx-forwarded-for: 198.51.100.7, 192.0.2.1\r\n/,
  );
  const known = good([...GET, ...claims], true, { trustedProxies: ["192.0.2.0/24"] });
  assert.deepEqual([known.clientAddress, known.receivedId], ["198.51.100.7", "mine"]);
  const stranger = good([...GET, ...claims], true, { trustedProxies: ["10.0.0.0/8"] });
  assert.deepEqual([stranger.clientAddress, stranger.receivedId], ["192.0.2.1", ""]);
  assert.equal(stranger.toFieldLines(), IDENTITY);
});

test("Max-Forwards counts down for OPTIONS and TRACE", () => {
  const trace = GET.with(0, [":method", "TRACE"]);
  const head = good([...trace, ["max-forwards", "3"]]);
  assert.equal(head.maxForwards, 3);
  assert.match(head.toFieldLines(), /max-forwards: 2\r\n$/);
  isRefused([...trace, ["max-forwards", "x"]], "bad-request");
  assert.match(good([...GET, ["max-forwards", "3"]]).text, /max-forwards: 3/);
});

test("paths are normalised before anything sees them", () => {
  const head = good(GET.with(2, [":path", "/a/../%62//c?d=//"]));
  assert.equal(head.path, "/b/c?d=//");
  assert.ok(head.toHttp1().startsWith("GET /b/c?d=// HTTP/1.1\r\nhost: a.test\r\n"));
  assert.equal(good(GET.with(2, [":path", "/a%2Fb"])).redirectPath, "/a/b");
});

test("extended CONNECT asks for another protocol; CONNECT for a host", () => {
  const head = good(WEBSOCKET, false);
  assert.deepEqual([head.method, head.upgrade, head.framing, head.path], ["GET", "websocket", "none", "/p?q"]);
  assert.match(
    head.toHttp1(),
    /^GET \/p\?q HTTP\/1.1\r\nhost: a.test\r\n.*connection: upgrade\r\nupgrade: websocket\r\n/s,
  );
  isRefused(WEBSOCKET.with(1, [":protocol", "h2c"]), "unsupported-method");
  isMalformed(WEBSOCKET.slice(0, 4), /CONNECT/);
  isMalformed([...WEBSOCKET, ["content-length", "0"]], /CONNECT/);
  const plain: readonly Pair[] = [
    [":method", "CONNECT"],
    [":authority", "db:5432"],
  ];
  const tunnel = good(plain, false);
  assert.deepEqual([tunnel.method, tunnel.path, tunnel.authority, tunnel.framing], ["CONNECT", "", "db:5432", "none"]);
  isRefused(plain.with(1, [":authority", "db"]), "bad-request");
  isMalformed([...plain, [":path", "/"]], /CONNECT/);
});

test("nothing of a request is left for the next", () => {
  const fields = new RequestFields(REQUEST_CONNECTION, { ...EDGE, trustedHops: 1 });
  const head = new RequestHead();
  const full: readonly Pair[] = [
    ...POST,
    ["te", "trailers"],
    ["cookie", "a"],
    ["content-type", "application/grpc"],
    ["x-request-id", "1"],
    ["content-length", "3"],
    ["expect", "100-continue"],
    ["trailer", "x"],
  ];
  assert.ok(feed(fields, full, head, false));
  assert.ok(!feed(fields, [...GET, ["A", "1"]], head, true));
  assert.ok(feed(fields, GET, head, true));
  const fresh = good(GET, true, { trustedHops: 1 });
  fresh.identify(ids);
  head.identify(ids);
  assert.equal(head.toFieldLines(), fresh.toFieldLines());
  assert.deepEqual(
    [head.isGrpc, head.takesTrailers, head.receivedId, head.expectsContinue, fields.contentLength],
    [false, false, "", false, -1],
  );
});
