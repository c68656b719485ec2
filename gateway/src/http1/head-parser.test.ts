import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { HeadParser, type HeadLimits } from "./head-parser.ts";

const LIMITS: HeadLimits = DEFAULT_HTTP_SERVER_OPTIONS;
const LINE = "GET / HTTP/1.1\r\n";

interface Parsed {
  readonly at: number;
  readonly parser: HeadParser;
  /** What goes on. */
  readonly kept: string;
}

function parse(text: string, limits: Partial<HeadLimits> = {}): Parsed {
  const parser = new HeadParser();
  const bytes = Buffer.from(text, "latin1");
  const at = parser.request(bytes, 0, bytes.length, { ...LIMITS, ...limits });
  return { at, parser, kept: at > 0 ? keptOf(parser, text) : "" };
}

function keptOf({ head }: HeadParser, text: string): string {
  let kept = "";
  let at = head.fieldsAt;
  for (let i = 0; i < head.cuts.length; i += 2) {
    kept += text.slice(at, head.cuts[i]);
    at = head.cuts[i + 1] ?? 0;
  }
  return kept + text.slice(at, head.end);
}

test("a head is incomplete at every byte but its last, and refused at none", () => {
  const text = `\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX-A:\r\n\r\n`;
  for (let end = 0; end < text.length; end++) assert.equal(parse(text.slice(0, end)).at, 0, `at ${end}`);
  const { at, parser } = parse(`${text}body`);
  assert.equal(at, text.length);
  assert.equal(parser.head.contentLength, 12);
});

test("a bad byte is refused as soon as it is there", () => {
  for (const text of ["G(", "GET /\x01", "GET / HTTX", `${LINE}A\n`, `${LINE}A: b\n`, `${LINE}Host: x\r\n\rX`])
    assert.equal(parse(text).at, -1, JSON.stringify(text));
});

test("fields that concern one hop are cut, with their lines", () => {
  const { kept, parser } = parse(
    `${LINE}Host: x\r\nConnection: a, close\r\nA: 1\r\nB: 2\r\nKeep-Alive: 1\r\nTransfer-Encoding: Chunked\r\n\r\n`,
  );
  assert.equal(kept, "Host: x\r\nB: 2\r\n");
  assert.ok(parser.head.chunked && parser.head.close);
});

test("Connection cannot name away what the gateway itself needs", () => {
  const { kept, parser } = parse(`${LINE}Host: x\r\nConnection: host, content-length\r\nContent-Length: 3\r\n\r\n`);
  assert.equal(kept, "Host: x\r\nContent-Length: 3\r\n");
  assert.equal(parser.head.contentLength, 3);
});

test("what only a proxy may state is cut at the edge and kept behind trusted proxies", () => {
  const fields =
    "X-Forwarded-Host: a\r\nForwarded: for=b\r\nX-Real-IP: c\r\nX-Envoy-Original-Path: /d\r\nClient-Cert: e\r\ntraceparent: f\r\n";
  const edge = parse(`${LINE}Host: x\r\n${fields}X-Forwarded-For: g\r\nX-Request-Id: h\r\n\r\n`);
  assert.equal(edge.kept, "Host: x\r\ntraceparent: f\r\n");
  const inner = parse(`${LINE}Host: x\r\n${fields}X-Forwarded-For: g\r\nX-Request-Id: h\r\n\r\n`, { trustedHops: 1 });
  assert.equal(inner.kept, `Host: x\r\n${fields}X-Request-Id: h\r\n`);
  assert.deepEqual([inner.parser.head.forwardedFor, inner.parser.head.requestId], ["g", "h"]);
});

test("names with an underscore are refused, dropped or allowed", () => {
  const text = `${LINE}Host: x\r\nX_A: 1\r\nB: 2\r\n\r\n`;
  assert.equal(parse(text).at, -1);
  assert.equal(parse(text, { underscores: "drop" }).kept, "Host: x\r\nB: 2\r\n");
  assert.equal(parse(text, { underscores: "allow" }).kept, "Host: x\r\nX_A: 1\r\nB: 2\r\n");
});

test("a name with an underscore that begins like a proxy's is no exception, behind a trusted proxy either", () => {
  const text = `${LINE}Host: x\r\nX-Forwarded-Client_Cert: 1\r\nB: 2\r\n\r\n`;
  assert.equal(parse(text, { trustedHops: 1 }).at, -1);
  assert.equal(parse(text, { trustedHops: 1, underscores: "drop" }).kept, "Host: x\r\nB: 2\r\n");
  assert.equal(parse(text, { underscores: "allow" }).kept, "Host: x\r\nB: 2\r\n");
});

test("limits are exact", () => {
  const fields = (count: number): string => `${LINE}Host: x\r\n${"A: b\r\n".repeat(count - 1)}\r\n`;
  assert.ok(parse(fields(100)).at > 0);
  assert.equal(parse(fields(101)).at, -1);
  const sized = (bytes: number): string => `${LINE}Host: x\r\nA: ${"b".repeat(bytes - LINE.length - 16)}\r\n\r\n`;
  assert.ok(parse(sized(1000), { maxHeadBytes: 1000 }).at > 0);
  assert.equal(parse(sized(1001), { maxHeadBytes: 1000 }).at, -1);
});

test("the limit of an answer's head is exact, whether the head has come in parts or whole", () => {
  const start = "HTTP/1.1 200 OK\r\nA: ";
  const respond = (text: string): number => {
    const bytes = Buffer.from(text, "latin1");
    return new HeadParser().response(bytes, 0, bytes.length);
  };
  const sized = (bytes: number): string => `${start}${"b".repeat(bytes - start.length - 4)}\r\n\r\n`;
  assert.equal(respond(sized(61_440)), 61_440);
  assert.equal(respond(sized(61_441)), -1);
  assert.equal(respond(sized(61_441).slice(0, 61_440)), 0);
  assert.equal(respond(sized(61_442).slice(0, 61_441)), -1);
});

test("a target is suspect where normalisation may have to look", () => {
  for (const [target, suspect] of [
    ["/a/b.c?x=/y", false],
    ["/a./b", false],
    ["/a//b", true],
    ["/a/./b", true],
    ["/%20", true],
    ["/a\\b", true],
  ] as const)
    assert.equal(parse(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).parser.head.suspect, suspect, target);
});

test("authorities", () => {
  for (const host of ["x", "x:80", "x:", "a.b-c:65535", "[::1]", "[::ffff:1.2.3.4]:8080", "%41"])
    assert.ok(parse(`${LINE}Host: ${host}\r\n\r\n`).at > 0, host);
  for (const host of ["", "a b", "a,b", "a/b", "a@b", "x:65536", "x:8a", "[::1", "[]", "[::1]x", "::1", "a\x80"])
    assert.equal(parse(`${LINE}Host: ${host}\r\n\r\n`).at, -1, host);
});

test("the second value of a list field counts too", () => {
  const { parser } = parse(
    `${LINE}Host: x\r\nConnection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n`,
  );
  assert.ok(parser.head.keepAlive && parser.head.connectionUpgrade);
  assert.equal(parser.head.upgrade, "a, b");
});

test("nothing of a head stays for the next", () => {
  const parser = new HeadParser();
  const rich = Buffer.from(
    `${LINE}Host: x\r\nConnection: close, upgrade, te, a\r\nUpgrade: a\r\nTE: trailers\r\nExpect: 100-continue\r\nTrailer: b\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const plain = Buffer.from(`${LINE}Host: x\r\n\r\n`);
  assert.ok(parser.request(rich, 0, rich.length, LIMITS) > 0);
  assert.ok(parser.request(plain, 0, plain.length, LIMITS) > 0);
  const { head } = parser;
  assert.deepEqual(
    [head.close, head.connectionUpgrade, head.connectionTe, head.upgrade, head.te, head.hasExpect, head.trailer],
    [false, false, false, "", "", false, ""],
  );
  assert.deepEqual([head.chunked, head.named, head.cuts, head.trailerFrom], [false, [], [], -1]);
});

test("an answer's head is read with the same strictness", () => {
  const parser = new HeadParser();
  const read = (text: string): number => {
    const bytes = Buffer.from(text, "latin1");
    return parser.response(bytes, 0, bytes.length);
  };
  const whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\nDate: x\r\n\r\n";
  for (let end = 0; end < whole.length; end++) assert.equal(read(whole.slice(0, end)), 0, `at ${end}`);
  assert.equal(read(whole), whole.length);
  assert.deepEqual([parser.head.status, parser.head.contentLength, parser.head.dated], [200, 5, true]);
  assert.ok(read("HTTP/1.1 200 \r\n\r\n") > 0);
  assert.ok(read("HTTP/1.1 200\r\n\r\n") > 0);
  for (const bad of [
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "http/1.1 200 OK\r\n\r\n",
  ])
    assert.equal(read(bad), -1, bad);
});
