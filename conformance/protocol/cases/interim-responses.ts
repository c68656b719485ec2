// Interim answers (RFC 9110 section 15.2): relayed or dropped, never counted as the answer, never with a body.
import { answered, badGateway, cut, END, head, ok, passedAll, reply, response } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const get = head("GET /interim HTTP/1.1");
const hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
const go = "HTTP/1.1 100 Continue\r\n\r\n";

/** Interim answers. */
export const interimCases: readonly ProtocolCase[] = [
  {
    id: "interim-early-hints",
    why: "RFC 9110 15.2: a proxy forwards 1xx answers",
    send: [get],
    answers: [reply(hints, { pause: 20 }, ok("final"))],
    allow: [
      answered({ status: 200, body: "final" }, { interim: [103] }),
      { ...answered({ status: 200, body: "final" }, { interim: [] }), because: "hints are optional (RFC 8297)" },
    ],
  },
  {
    id: "interim-and-final-in-one-segment",
    why: "RFC 9112 2: segments do not matter",
    send: [get],
    answers: [reply(hints + go + ok("final"))],
    allow: [answered({ status: 200, body: "final" })],
  },
  {
    id: "interim-100-nobody-asked-for",
    why: "RFC 9110 15.2.1: a 100 is forwarded or dropped, it is not the answer",
    send: [get],
    answers: [reply(go, ok("final"))],
    allow: [answered({ status: 200, body: "final" })],
  },
  {
    id: "interim-processing",
    why: "RFC 9110 15.2: any 1xx but 101 is interim",
    send: [get],
    answers: [reply("HTTP/1.1 102 Processing\r\n\r\n", ok("final"))],
    allow: [answered({ status: 200, body: "final" })],
  },
  {
    id: "interim-unknown",
    why: "RFC 9110 15.2: unknown 1xx codes are interim too",
    send: [get],
    answers: [reply("HTTP/1.1 199 Odd\r\nX-Odd: 1\r\n\r\n", ok("final"))],
    allow: [answered({ status: 200, body: "final" })],
  },
  {
    id: "interim-flood",
    why: "endless interim answers must neither fill memory nor keep an exchange alive for ever",
    send: [get],
    answers: [reply(go.repeat(20_000), ok("final"))],
    allow: [badGateway(), { ...answered({ status: 200, body: "final" }), because: "dropping them costs no memory" }],
  },
  {
    id: "interim-then-close",
    why: "RFC 9110 15.2: an interim answer alone is no answer",
    send: [get],
    answers: [reply(hints, { pause: 20 }, END)],
    allow: [badGateway({ client: [{ status: [502, 503] }] })],
  },
  {
    id: "interim-with-length",
    why: "RFC 9110 8.6: a 1xx has no Content-Length; who believes it skips into the final answer",
    send: [get],
    answers: [reply(response("HTTP/1.1 103 Early Hints", ["Content-Length: 5"], "hello"), ok("final"))],
    allow: [badGateway()],
  },
  {
    id: "interim-with-length-and-no-body",
    why: "RFC 9110 8.6: the same when no body follows: dropping the field or refusing is safe, passing it is not",
    send: [get],
    answers: [reply("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n", ok("final"))],
    allow: [badGateway(), answered({ status: 200, body: "final" })],
  },
  {
    id: "interim-chunked",
    why: "RFC 9112 6.1: a 1xx has no Transfer-Encoding",
    send: [get],
    answers: [reply(response("HTTP/1.1 103 Early Hints", ["Transfer-Encoding: chunked"], "0\r\n\r\n"), ok("final"))],
    allow: [badGateway()],
  },
  {
    id: "interim-malformed",
    why: "RFC 9112 5.1: an interim head is read as strictly as a final one",
    send: [get],
    answers: [reply("HTTP/1.1 103 Early Hints\r\nX-Foo : 1\r\n\r\n", ok("final"))],
    allow: [badGateway()],
  },
  {
    id: "interim-hop-by-hop-dropped",
    why: "RFC 9110 7.6.1: hop-by-hop fields end here in interim answers too",
    send: [get],
    answers: [reply("HTTP/1.1 103 Early Hints\r\nConnection: close\r\nKeep-Alive: timeout=5\r\n\r\n", ok("final"))],
    allow: [answered({ status: 200, body: "final" })],
  },
  {
    id: "interim-after-the-final-head",
    why: "an interim-looking message inside a body is body",
    send: [get],
    answers: [reply(`HTTP/1.1 200 OK\r\nContent-Length: ${go.length + 2}\r\n\r\n${go}ok`)],
    allow: [answered({ status: 200, body: `${go}ok` })],
  },
  {
    id: "interim-behind-the-answer",
    why: "response desync: an interim answer behind a complete one belongs to nobody",
    send: [get + head("GET /second HTTP/1.1")],
    answers: [reply(ok("one") + go)],
    allow: [
      passedAll([{}, { target: "/second" }], {
        client: [
          { status: 200, body: "one" },
          { status: 200, body: "seen GET /second" },
        ],
        backendConnection: "not-reused",
      }),
    ],
  },
  {
    id: "interim-then-cut-body",
    why: "RFC 9112 8: an interim answer before it does not make a cut answer whole",
    send: [get],
    answers: [reply(hints, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", { pause: 40 }, END)],
    allow: [cut(), badGateway({ client: [{ status: [502, 503] }] })],
  },
  {
    id: "interim-pipelined-head",
    why: "RFC 9110 9.3.2: interim answers do not shift which final answer belongs to a HEAD",
    send: [head("HEAD /1 HTTP/1.1") + head("GET /2 HTTP/1.1")],
    heads: [0],
    answers: [reply(hints, response("HTTP/1.1 200 OK", ["Content-Length: 10"])), reply(hints, ok("two"))],
    allow: [
      passedAll([{ method: "HEAD" }, { target: "/2" }], {
        client: [
          { status: 200, body: "" },
          { status: 200, body: "two" },
        ],
      }),
    ],
  },
];
