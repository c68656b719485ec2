// Hostile answers, part one: status lines and field lines of the backend (RFC 9112 section 4, 5).
import { answered, badGateway, bytewiseAnswer, END, head, ok, reply, RESET, response } from "../case.ts";
import type { Outcome, ProtocolCase } from "../case.ts";

const get = head("GET /answer HTTP/1.1");
const body = "Content-Length: 2\r\n\r\nok";

const badLine: readonly (readonly [string, string])[] = [
  ["garbage", "garbage"],
  ["other-protocol", "ICY 200 OK"],
  ["lower-case", "http/1.1 200 OK"],
  ["misspelt", "HTP/1.1 200 OK"],
  ["version-2", "HTTP/2.0 200 OK"],
  ["version-0.9", "HTTP/0.9 200 OK"],
  ["version-two-digits", "HTTP/1.10 200 OK"],
  ["no-minor", "HTTP/1 200 OK"],
  ["no-status", "HTTP/1.1"],
  ["two-digits", "HTTP/1.1 20 OK"],
  ["four-digits", "HTTP/1.1 2000 OK"],
  ["letters", "HTTP/1.1 2xx OK"],
  ["sign", "HTTP/1.1 +20 OK"],
  ["status-000", "HTTP/1.1 000 OK"],
  ["status-099", "HTTP/1.1 099 OK"],
  ["two-spaces", "HTTP/1.1  200 OK"],
  ["tab", "HTTP/1.1\t200 OK"],
  ["space-before", " HTTP/1.1 200 OK"],
  ["nul-in-reason", "HTTP/1.1 200 O\0K"],
  ["bare-cr-in-reason", "HTTP/1.1 200 O\rK"],
  ["control-in-reason", "HTTP/1.1 200 O\x01K"],
];

const badField: readonly (readonly [string, string])[] = [
  ["no-colon", "X-Foo"],
  ["empty-name", ": x"],
  ["space-before-colon", "X-Foo : x"],
  ["space-before-colon-of-length", "Content-Length : 9"],
  ["space-before-colon-of-coding", "Transfer-Encoding : chunked"],
  ["nul-in-name", "X-\0Foo: x"],
  ["obs-text-in-name", "X-Fo\xf6: x"],
  ["nul-in-value", "X-Foo: a\0b"],
  ["bare-cr", "X-Foo: a\rSet-Cookie: evil=1"],
  ["bare-lf", "X-Foo: a\nSet-Cookie: evil=1"],
  ["control", "X-Foo: a\x01b"],
  ["blank-led-first", " X-Foo: a"],
];

/** RFC 9112 9.3.1: a GET that met a kept connection which then ended without an answer may be sent once more. */
const retried: Outcome = {
  backend: [{}, {}],
  client: [{ status: 200 }],
  after: "open",
  because: "the backend may have closed an idle connection just then",
};

/** The client is told of a faulty backend, or (where it says so) gets the cleaned answer. */
const either = (cleaned: Outcome, because: string): readonly [Outcome, Outcome] => [
  badGateway(),
  { ...cleaned, because },
];

/** Heads of answers. */
export const responseHeadCases: readonly ProtocolCase[] = [
  ...badLine.map(([name, line]) => ({
    id: `answer-line-${name}`,
    why: "RFC 9112 4: a status line that is none is a 502, and that connection is done",
    send: [get],
    answers: [reply(`${line}\r\n${body}`, { pause: 30 }, END)],
    allow: [badGateway()] as const,
  })),
  ...badField.map(([name, line]) => ({
    id: `answer-field-${name}`,
    why: "RFC 9112 5.1, 2.2: a field line the client could read differently is a 502",
    send: [get],
    answers: [reply(`HTTP/1.1 200 OK\r\n${line}\r\n${body}`, { pause: 30 }, END)],
    allow: [badGateway()] as const,
  })),
  {
    id: "answer-line-bare-lf",
    why: "RFC 9112 2.2: LF alone ends no line",
    send: [get],
    answers: [reply(`HTTP/1.1 200 OK\n${body}`, { pause: 30 }, END)],
    allow: [badGateway()],
  },
  {
    id: "answer-line-empty-line-before",
    why: "RFC 9112 2.2: the tolerance for empty lines is for requests only",
    send: [get],
    answers: [reply(`\r\nHTTP/1.1 200 OK\r\n${body}`, { pause: 30 }, END)],
    allow: [badGateway()],
  },
  {
    id: "answer-line-status-600",
    why: "RFC 9110 15: codes beyond 599 are invalid",
    send: [get],
    answers: [reply(`HTTP/1.1 600 Odd\r\n${body}`)],
    allow: either(answered({ status: 600, body: "ok" }), "RFC 9110 15: a client treats it as 5xx"),
  },
  {
    id: "answer-line-unknown-status",
    why: "RFC 9110 15: unknown codes of a known class pass",
    send: [get],
    answers: [reply(`HTTP/1.1 299 Odd\r\n${body}`)],
    allow: [answered({ status: 299, body: "ok" })],
  },
  {
    id: "answer-line-empty-reason",
    why: "RFC 9112 4: the reason is optional, the space before it is not",
    send: [get],
    answers: [reply(`HTTP/1.1 200 \r\n${body}`)],
    allow: [answered({ status: 200, body: "ok" })],
  },
  {
    id: "answer-line-no-space-behind-status",
    why: "RFC 9112 4: the space is missing, but the status is in no doubt",
    send: [get],
    answers: [reply(`HTTP/1.1 200\r\n${body}`)],
    allow: [
      answered({ status: 200, body: "ok" }),
      { ...badGateway(), because: "outside the grammar; many servers send it, so a 502 is unkind" },
    ],
  },
  {
    id: "answer-line-obs-text-in-reason",
    why: "RFC 9112 4: a reason may hold obs-text",
    send: [get],
    answers: [reply(`HTTP/1.1 200 \xc7a va\r\n${body}`)],
    allow: [answered({ status: 200, body: "ok" })],
  },
  {
    id: "answer-field-folded",
    why: "RFC 9112 5.2: a gateway refuses obs-fold with 502 or replaces it with a blank",
    send: [get],
    answers: [reply(`HTTP/1.1 200 OK\r\nX-Foo: a\r\n b\r\n${body}`)],
    allow: either(answered({ status: 200, fields: { "x-foo": /^a +b$/ } }), "the RFC offers this choice"),
  },
  {
    id: "answer-field-obs-text-kept",
    why: "RFC 9110 5.5: obs-text is opaque and passes byte for byte",
    send: [get],
    answers: [reply(ok("ok", "X-Foo: \x80\xff caf\xc3\xa9"))],
    allow: [answered({ status: 200, fields: { "x-foo": "\x80\xff caf\xc3\xa9" } })],
  },
  {
    id: "answer-field-500-lines",
    why: "an answer has a bound on its fields too",
    send: [get],
    answers: [reply(ok("ok", ...Array.from({ length: 500 }, (_, i) => `X-${i}: y`)))],
    allow: [
      badGateway(),
      { ...answered({ status: 200, fields: { "x-499": "y" } }), because: "a larger bound for backends is fine" },
    ],
  },
  {
    id: "answer-head-of-200-kib",
    why: "an answer’s head is refused at a limit, not collected",
    send: [get],
    answers: [reply(ok("ok", `X-Foo: ${"y".repeat(200 * 1024)}`))],
    allow: [badGateway()],
  },
  {
    id: "answer-head-endless",
    why: "a head that never ends is refused at the limit",
    send: [get],
    answers: [reply(`HTTP/1.1 200 OK\r\nX-Foo: ${"y".repeat(500_000)}`)],
    allow: [badGateway()],
  },
  {
    id: "answer-head-cut",
    why: "RFC 9112 8: an incomplete head is no answer",
    send: [get],
    answers: [reply("HTTP/1.1 200 OK\r\nX-Foo: a\r\n", END)],
    allow: [badGateway({ client: [{ status: [502, 503] }] })],
  },
  {
    id: "answer-head-in-single-bytes",
    why: "RFC 9112 2: segments do not matter",
    send: [get],
    answers: [bytewiseAnswer(ok("hello", "X-Foo: bar"))],
    allow: [answered({ status: 200, fields: { "x-foo": "bar" }, body: "hello" })],
  },
  {
    id: "answer-none",
    why: "RFC 9110 15.6.3: a backend that closes without an answer is a 502 (or 503)",
    send: [get],
    answers: [reply(END)],
    allow: [badGateway({ client: [{ status: [502, 503] }] }), retried],
  },
  {
    id: "answer-none-reset",
    why: "RFC 9110 15.6.3: a backend that resets without an answer is a 502 (or 503)",
    send: [get],
    answers: [reply(RESET)],
    allow: [badGateway({ client: [{ status: [502, 503] }] }), retried],
  },
  {
    id: "answer-tls-alert",
    why: "a backend that speaks TLS on this port is a 502",
    send: [get],
    answers: [reply("\x15\x03\x01\x00\x02\x02\x46", END)],
    allow: [badGateway()],
  },
  {
    id: "answer-with-interim-looking-body",
    why: "a body is a body whatever it looks like",
    send: [get],
    answers: [reply(response("HTTP/1.1 200 OK", ["Content-Length: 25"], "HTTP/1.1 100 Continue\r\n\r\n"))],
    allow: [answered({ status: 200, body: "HTTP/1.1 100 Continue\r\n\r\n" })],
  },
];
