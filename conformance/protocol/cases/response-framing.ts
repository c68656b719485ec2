// Hostile answers, part two: contradictory lengths and codings (RFC 9112 section 6.3), bodies where there is none.
import { answered, badGateway, END, head, ok, passedAll, reply, response } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const get = head("GET /answer HTTP/1.1");
const headRequest = head("HEAD /answer HTTP/1.1");
const end = "0\r\n\r\n";
const poison = ok("poison");

const contradictory: readonly (readonly [string, readonly string[], string])[] = [
  ["length-and-coding", ["Content-Length: 5", "Transfer-Encoding: chunked"], end],
  ["coding-and-length", ["Transfer-Encoding: chunked", "Content-Length: 5"], end],
  ["two-lengths", ["Content-Length: 5", "Content-Length: 6"], "hello!"],
  ["length-list", ["Content-Length: 5, 6"], "hello!"],
  ["length-plus", ["Content-Length: +5"], "hello"],
  ["length-minus", ["Content-Length: -5"], "hello"],
  ["length-hex", ["Content-Length: 0x5"], "hello"],
  ["length-empty", ["Content-Length:"], "hello"],
  ["length-letters", ["Content-Length: five"], "hello"],
  ["length-over-64-bit", ["Content-Length: 18446744073709551621"], "hello"],
  ["length-fraction", ["Content-Length: 5.0"], "hello"],
  ["coding-unknown", ["Transfer-Encoding: cow"], "hello"],
  ["coding-gzip", ["Transfer-Encoding: gzip"], "hello"],
  ["coding-twice", ["Transfer-Encoding: chunked, chunked"], end],
  ["coding-two-lines", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], end],
  ["coding-x-prefix", ["Transfer-Encoding: xchunked"], end],
  ["coding-quoted", ['Transfer-Encoding: "chunked"'], end],
  ["coding-vertical-tab", ["Transfer-Encoding: \x0bchunked"], end],
  ["coding-empty", ["Transfer-Encoding:"], "hello"],
];

/** Framing of answers. */
export const responseFramingCases: readonly ProtocolCase[] = [
  ...contradictory.map(([name, fields, body]) => ({
    id: `answer-framing-${name}`,
    why: "RFC 9112 6.3: an answer whose end two parsers see in two places is a 502",
    send: [get],
    answers: [reply(response("HTTP/1.1 200 OK", fields, body), { pause: 30 }, END)],
    allow: [badGateway()] as const,
  })),
  ...(
    [
      ["twice", ["Content-Length: 5", "Content-Length: 5"]],
      ["list", ["Content-Length: 5, 5"]],
      ["leading-zeros", ["Content-Length: 005"]],
    ] as const
  ).map(([name, fields]) => ({
    id: `answer-framing-same-length-${name}`,
    why: "RFC 9112 6.3: refuse, or send on one number",
    send: [get],
    answers: [reply(response("HTTP/1.1 200 OK", fields, "hello"))],
    allow: [badGateway(), answered({ status: 200, fields: { "content-length": "5" }, body: "hello" })] as const,
  })),
  {
    id: "answer-framing-length",
    why: "RFC 9112 6.3: the plain case",
    send: [get],
    answers: [reply(ok("hello"))],
    allow: [answered({ status: 200, fields: { "content-length": "5", "transfer-encoding": null }, body: "hello" })],
  },
  {
    id: "answer-framing-chunked",
    why: "RFC 9112 7.1: a chunked answer arrives whole, without extensions",
    send: [get],
    answers: [
      reply(response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], `5;a=b\r\nhello\r\n6\r\n world\r\n${end}`)),
    ],
    allow: [answered({ status: 200, fields: { "content-length": null }, body: "hello world" })],
  },
  {
    id: "answer-framing-until-close",
    why: "RFC 9112 6.3: an answer that ends with the connection is framed for the client, so that a cut shows",
    send: [get],
    answers: [reply("HTTP/1.1 200 OK\r\n\r\nhello", END)],
    allow: [
      answered(
        { status: 200, fields: { "transfer-encoding": "chunked" }, body: "hello" },
        { backendConnection: "not-reused" },
      ),
    ],
  },
  {
    id: "answer-framing-until-close-empty",
    why: "RFC 9112 6.3: the same with nothing in it",
    send: [get],
    answers: [reply("HTTP/1.1 200 OK\r\n\r\n", END)],
    allow: [answered({ status: 200, body: "" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-framing-head-with-length",
    why: "RFC 9110 9.3.2: the length in an answer to HEAD frames nothing",
    send: [headRequest],
    heads: [0],
    answers: [reply(response("HTTP/1.1 200 OK", ["Content-Length: 1000"]))],
    allow: [answered({ status: 200, fields: { "content-length": "1000" }, body: "" })],
  },
  {
    id: "answer-framing-head-chunked",
    why: "RFC 9112 6.1: a coding in an answer to HEAD frames nothing",
    send: [headRequest],
    heads: [0],
    answers: [reply(response("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"]))],
    allow: [answered({ status: 200, body: "" })],
  },
  {
    id: "answer-framing-head-with-body",
    why: "response desync: a body behind an answer to HEAD must not be read as the next answer",
    send: [headRequest],
    heads: [0],
    answers: [reply(ok("hello"))],
    allow: [answered({ status: 200, body: "" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-framing-head-with-poisoned-body",
    why: "response desync: the body behind an answer to HEAD is a whole answer itself",
    send: [headRequest + head("GET /second HTTP/1.1")],
    heads: [0],
    answers: [reply(response("HTTP/1.1 200 OK", [`Content-Length: ${poison.length}`], poison))],
    allow: [
      passedAll([{ method: "HEAD" }, { target: "/second" }], {
        client: [
          { status: 200, body: "" },
          { status: 200, body: "seen GET /second" },
        ],
        backendConnection: "not-reused",
      }),
      { backend: [{ method: "HEAD" }], client: [{ status: 200, body: "" }], after: "closed" },
    ],
  },
  {
    id: "answer-framing-204-with-length",
    why: "RFC 9110 8.6: a 204 has no Content-Length, and no body",
    send: [get],
    answers: [reply(response("HTTP/1.1 204 No Content", ["Content-Length: 0"]))],
    allow: [answered({ status: 204, fields: { "content-length": null }, body: "" })],
  },
  {
    id: "answer-framing-204-with-body",
    why: "RFC 9112 6.3: a 204 ends with its head; what follows must not be the next answer",
    send: [get],
    answers: [reply(response("HTTP/1.1 204 No Content", [`Content-Length: ${poison.length}`], poison))],
    allow: [
      answered({ status: 204, fields: { "content-length": null }, body: "" }, { backendConnection: "not-reused" }),
      { ...badGateway(), because: "a length in a 204 is faulty" },
    ],
  },
  {
    id: "answer-framing-204-chunked",
    why: "RFC 9112 6.1: a 204 has no Transfer-Encoding",
    send: [get],
    answers: [reply(response("HTTP/1.1 204 No Content", ["Transfer-Encoding: chunked"], end))],
    allow: [
      answered({ status: 204, fields: { "transfer-encoding": null }, body: "" }, { backendConnection: "not-reused" }),
      badGateway(),
    ],
  },
  {
    id: "answer-framing-304-with-length",
    why: "RFC 9110 15.4.5: the length in a 304 is that of the cached answer and frames nothing",
    send: [get],
    answers: [reply(response("HTTP/1.1 304 Not Modified", ["Content-Length: 1000", 'ETag: "x"']))],
    allow: [answered({ status: 304, fields: { etag: '"x"' }, body: "" })],
  },
  {
    id: "answer-framing-304-with-body",
    why: "RFC 9112 6.3: a 304 ends with its head",
    send: [get],
    answers: [reply(response("HTTP/1.1 304 Not Modified", [`Content-Length: ${poison.length}`], poison))],
    allow: [answered({ status: 304, body: "" }, { backendConnection: "not-reused" })],
  },
  {
    id: "answer-framing-head-204",
    why: "RFC 9112 6.3: both reasons for no body at once",
    send: [headRequest],
    heads: [0],
    answers: [reply(response("HTTP/1.1 204 No Content", []))],
    allow: [answered({ status: 204, body: "" })],
  },
  {
    id: "answer-framing-205-with-body",
    why: "RFC 9110 15.3.6: a 205 should be empty, but its framing is ordinary",
    send: [get],
    answers: [reply(response("HTTP/1.1 205 Reset Content", ["Content-Length: 2"], "ok"))],
    allow: [answered({ status: 205, body: /^(ok)?$/ })],
  },
  {
    id: "answer-framing-large-length",
    why: "an answer larger than any buffer arrives whole",
    send: [get],
    answers: [reply(ok("0123456789abcdef".repeat(65536)))],
    allow: [answered({ status: 200, body: "0123456789abcdef".repeat(65536) })],
  },
];
