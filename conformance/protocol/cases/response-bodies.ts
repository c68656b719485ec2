// Hostile answers, part three: bodies that are cut, malformed or followed by more than was asked for.
import {
  answered,
  AWAIT_RESPONSE,
  badGateway,
  bytewiseAnswer,
  cut,
  END,
  head,
  ok,
  reply,
  RESET,
  response,
} from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

const get = head("GET /answer HTTP/1.1");
const end = "0\r\n\r\n";
const poison = ok("poison");
const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const malformedChunks: readonly (readonly [string, string])[] = [
  ["size-not-hex", "zz\r\nhello\r\n"],
  ["size-empty", "\r\nhello\r\n"],
  ["size-0x", "0x5\r\nhello\r\n"],
  ["size-minus", "-5\r\nhello\r\n"],
  ["size-over-64-bit", "10000000000000005\r\nhello\r\n"],
  ["size-bare-lf", "5\nhello\r\n"],
  ["size-bare-cr", "5\rhello\r\n"],
  ["size-cr-then-byte", "5\rXhello\r\n"],
  ["extension-bare-lf", "5;a\nhello\r\n"],
  ["extension-bare-cr", "5;a\rb\r\nhello\r\n"],
  ["data-no-crlf", "5\r\nhelloXX"],
  ["data-bare-lf", "5\r\nhello\n"],
  ["data-byte-then-lf", "5\r\nhelloX\n"],
  ["data-cr-then-byte", "5\r\nhello\rX"],
  ["last-bare-lf", "5\r\nhello\r\n0\n\n"],
  ["trailer-no-colon", "5\r\nhello\r\n0\r\nX-Sum\r\n\r\n"],
  ["trailer-space-before-colon", "5\r\nhello\r\n0\r\nX-Sum : 1\r\n\r\n"],
  ["trailer-nul", "5\r\nhello\r\n0\r\nX-Sum: \x00\r\n\r\n"],
  ["trailer-bare-lf", "5\r\nhello\r\n0\r\nX-Sum: 1\nX: y\r\n\r\n"],
];

/** The head may have gone before the fault was seen, or not. */
const cutOr502: readonly [Outcome, Outcome] = [
  cut(),
  {
    ...badGateway({ client: [{ status: [502, 503] }] }),
    because: "the head had not gone yet",
  },
];

const trailers = (line: string): string => `${chunkedHead}5\r\nhello\r\n0\r\n${line}\r\n\r\n`;

/** Bodies of answers. */
export const responseBodyCases: readonly ProtocolCase[] = [
  ...malformedChunks.map(([name, bytes]) => ({
    id: `answer-chunk-${name}`,
    why: "RFC 9112 7.1, 8: a malformed chunk ends the answer; the client must see that it is not whole",
    send: [get],
    answers: [reply(chunkedHead + bytes + end, { pause: 30 }, END)],
    allow: cutOr502,
  })),
  ...(
    [
      ["length-fin", `HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello`, END],
      ["length-reset", `HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello`, RESET],
      ["length-fin-at-once", `HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n`, END],
      ["chunked-fin-in-data", `${chunkedHead}5\r\nhel`, END],
      ["chunked-fin-between-chunks", `${chunkedHead}5\r\nhello\r\n`, END],
      ["chunked-fin-before-the-empty-line", `${chunkedHead}5\r\nhello\r\n0\r\n`, END],
      ["chunked-reset", `${chunkedHead}5\r\nhello\r\n`, RESET],
      ["until-close-reset", "HTTP/1.1 200 OK\r\n\r\nhello", RESET],
    ] as const
  ).map(([name, bytes, ending]) => ({
    id: `answer-cut-${name}`,
    why: "RFC 9112 8: an incomplete answer must never look whole to the client (nor be cached as one)",
    send: [get],
    answers: [reply(bytes, { pause: 40 }, ending)],
    allow: cutOr502,
  })),
  ...(
    [
      ["x-sum", "X-Sum: 1", true],
      ["set-cookie", "Set-Cookie: evil=1", false],
      ["content-length", "Content-Length: 99", false],
      ["transfer-encoding", "Transfer-Encoding: chunked", false],
      ["connection", "Connection: close", false],
      ["content-encoding", "Content-Encoding: gzip", false],
      ["content-type", "Content-Type: text/html", false],
      ["location", "Location: //evil.test", false],
      ["cache-control", "Cache-Control: public", false],
      ["www-authenticate", "WWW-Authenticate: Basic", false],
    ] as const
  ).map(([name, line, harmless]) => ({
    id: `answer-trailer-${name}`,
    why: "RFC 9110 6.5.1: trailers of an answer pass or are dropped, those that steer are dropped; never merged into the head",
    send: [get],
    answers: [reply(trailers(line))],
    allow: [
      answered({ status: 200, body: "hello", fields: harmless ? { [name]: null } : {}, trailers: { [name]: null } }),
      ...(harmless ? [answered({ status: 200, body: "hello", trailers: { [name]: "1" } })] : []),
    ] as readonly [Outcome, ...Outcome[]],
  })),
  {
    id: "answer-surplus-whole-answer",
    why: "response desync: a second answer in the same segment is thrown away with its connection",
    send: [get],
    answers: [reply(ok("hello") + poison)],
    allow: [answered({ status: 200, body: "hello" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-surplus-bytes",
    why: "response desync: bytes behind the length are thrown away with their connection",
    send: [get],
    answers: [reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokSURPLUS")],
    allow: [answered({ status: 200, body: "ok" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-surplus-after-last-chunk",
    why: "response desync: the same behind the last chunk",
    send: [get],
    answers: [reply(`${chunkedHead}5\r\nhello\r\n${end}${poison}`)],
    allow: [answered({ status: 200, body: "hello" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-surplus-later",
    why: "response desync: bytes on an idle backend connection end it before it is used again",
    send: [get, AWAIT_RESPONSE, { pause: 60 }],
    answers: [reply(ok("hello"), { pause: 20 }, poison)],
    allow: [answered({ status: 200, body: "hello" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-surplus-crlf",
    why: "an extra line end behind a body is surplus too",
    send: [get, AWAIT_RESPONSE, { pause: 30 }],
    answers: [reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n")],
    allow: [answered({ status: 200, body: "ok" })],
  },
  {
    id: "answer-chunk-extensions-of-64-kib",
    why: "CVE-2023-39326 (class): extensions of an answer have a bound too",
    send: [get],
    answers: [reply(`${chunkedHead}5;${"a".repeat(65536)}\r\nhello\r\n${end}`)],
    allow: [
      ...cutOr502,
      { ...answered({ status: 200, body: "hello" }), because: "dropped as it is read, it costs nothing" },
    ],
  },
  {
    id: "answer-chunked-in-single-bytes",
    why: "RFC 9112 2: segments do not matter",
    send: [get],
    answers: [bytewiseAnswer(`${chunkedHead}5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`)],
    allow: [answered({ status: 200, body: "hello" })],
  },
  {
    id: "answer-chunked-empty",
    why: "RFC 9112 7.1: an empty chunked answer is an answer",
    send: [get],
    answers: [reply(response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], end))],
    allow: [answered({ status: 200, body: "" })],
  },
];
