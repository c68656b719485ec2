// Request lines (RFC 9112 section 3): method, target forms, version.
import { dropped, END, head, HOST, passed, rawHead, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const host = `Host: ${HOST}`;

/** Methods, separators and versions. */
export const requestLineCases: readonly ProtocolCase[] = [
  {
    id: "line-get",
    why: "RFC 9112 3: the plain case reaches the backend as HTTP/1.1 with its Host",
    send: [head("GET /plain?q=1 HTTP/1.1")],
    allow: [passed({ method: "GET", target: "/plain?q=1", fields: { host: HOST } })],
  },
  {
    id: "line-method-unknown",
    why: "RFC 9110 9.1: methods are an open set; a gateway passes a token it does not know",
    send: [head("PURGE /x HTTP/1.1")],
    allow: [passed({ method: "PURGE", target: "/x" })],
  },
  {
    id: "line-method-hyphen",
    why: "RFC 9110 5.6.2: any token character may stand in a method",
    send: [head("M-SEARCH /x HTTP/1.1")],
    allow: [passed({ method: "M-SEARCH" })],
  },
  {
    id: "line-method-lower-case",
    why: "RFC 9110 9.1: methods are case-sensitive, so `get` must not become GET",
    send: [head("get /x HTTP/1.1")],
    allow: [
      passed({ method: "get" }),
      { ...refused(400, 501, 405), because: "no registered method is lower case, refusing it is as safe" },
    ],
  },
  ...(
    [
      ["paren", "GE(T"],
      ["colon", "GET:"],
      ["slash", "GE/T"],
      ["nul", "GE\0T"],
      ["obs-text", "G\xc8T"],
      ["quote", '"GET"'],
      ["brace", "GET{}"],
    ] as const
  ).map(([name, method]) => ({
    id: `line-method-${name}`,
    why: "RFC 9110 5.6.2: not a token character",
    send: [head(`${method} /x HTTP/1.1`)],
    allow: [refused(400, 501)] as const,
  })),
  {
    id: "line-method-empty",
    why: "RFC 9112 3.1: the method is not optional",
    send: [rawHead(" /x HTTP/1.1", host)],
    allow: [refused(400)],
  },
  {
    id: "line-method-of-9000-bytes",
    why: "RFC 9112 3: a method longer than any known one; no buffer may grow for it",
    send: [head(`${"A".repeat(9000)} /x HTTP/1.1`)],
    allow: [refused(400, 431, 501)],
  },
  {
    id: "line-empty-line-before",
    why: "RFC 9112 2.2: at least one empty line before the request line is ignored",
    send: [`\r\n${head("GET /x HTTP/1.1")}`],
    allow: [passed({ target: "/x" })],
  },
  {
    id: "line-thousand-empty-lines-before",
    why: "robustness has a bound: endless empty lines are not a request",
    send: ["\r\n".repeat(1000) + head("GET /x HTTP/1.1")],
    allow: [refused(400), { ...passed({ target: "/x" }), because: "ignoring them is allowed by RFC 9112 2.2" }],
  },
  {
    id: "line-bare-lf-before",
    why: "RFC 9112 2.2: the empty line that is tolerated is CRLF, not LF",
    send: [`\n${head("GET /x HTTP/1.1")}`],
    allow: [refused(400)],
  },
  {
    id: "line-bare-cr-before",
    why: "RFC 9112 2.2: a bare CR is invalid",
    send: [`\r${head("GET /x HTTP/1.1")}`],
    allow: [refused(400)],
  },
  {
    id: "line-space-before",
    why: "RFC 9112 3: nothing stands before the method",
    send: [` ${head("GET /x HTTP/1.1")}`],
    allow: [refused(400)],
  },
  {
    id: "line-two-spaces",
    why: "RFC 9112 3: exactly one SP; lenient splitting is a smuggling vector",
    send: [head("GET  /x HTTP/1.1")],
    allow: [refused(400)],
  },
  {
    id: "line-two-spaces-before-version",
    why: "RFC 9112 3: exactly one SP",
    send: [head("GET /x  HTTP/1.1")],
    allow: [refused(400)],
  },
  {
    id: "line-tab-separator",
    why: "RFC 9112 3: the separator is SP alone",
    send: [head("GET\t/x\tHTTP/1.1")],
    allow: [refused(400)],
  },
  {
    id: "line-form-feed-separator",
    why: "RFC 9112 3: the lenient whitespace set (VT, FF) is where parsers differ",
    send: [head("GET\x0c/x\x0cHTTP/1.1")],
    allow: [refused(400)],
  },
  {
    id: "line-trailing-space",
    why: "RFC 9112 3: nothing between version and CRLF",
    send: [head("GET /x HTTP/1.1 ")],
    allow: [refused(400)],
  },
  {
    id: "line-bare-lf-end",
    why: "RFC 9112 2.2: LF alone does not end the line for everybody",
    send: [`GET /x HTTP/1.1\n${host}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "line-bare-cr-end",
    why: "RFC 9112 2.2: CR alone is invalid",
    send: [`GET /x HTTP/1.1\r${host}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "line-cr-and-byte",
    why: "RFC 9112 2.2: the LF of the request line is checked, not skipped",
    send: [`GET /x HTTP/1.1\rX${host}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "line-cr-cr-lf",
    why: "RFC 9112 2.2: CR CR LF is a bare CR before a line end",
    send: [`GET /x HTTP/1.1\r\r\n${host}\r\n\r\n`],
    allow: [refused(400)],
  },
  ...(
    [
      ["0.9-without-version", "GET /x", [400, 505]],
      ["0.9", "GET /x HTTP/0.9", [400, 505]],
      ["2.0", "GET /x HTTP/2.0", [505]],
      ["3.0", "GET /x HTTP/3.0", [505]],
      ["9.9", "GET /x HTTP/9.9", [505]],
      ["lower-case", "GET /x http/1.1", [400, 505]],
      ["inner-space", "GET /x HTTP /1.1", [400, 505]],
      ["no-minor", "GET /x HTTP/1", [400, 505]],
      ["no-dot", "GET /x HTTP/11", [400, 505]],
      ["two-digit-minor", "GET /x HTTP/1.10", [400, 505]],
      ["two-digit-major", "GET /x HTTP/01.1", [400, 505]],
      ["comma", "GET /x HTTP/1,1", [400, 505]],
      ["other-protocol", "GET /x ICY/1.1", [400, 505]],
      ["letter", "GET /x HTTP/1.x", [400, 505]],
    ] as const
  ).map(([name, line, status]) => ({
    id: `line-version-${name}`,
    why: "RFC 9112 2.3: the version is HTTP/DIGIT.DIGIT, and only major 1 is spoken here",
    send: [head(line)],
    allow: [refused(...status)] as const,
  })),
  {
    id: "line-version-1.2",
    why: "RFC 9110 2.5: a higher minor may be read as the highest known one",
    send: [head("GET /x HTTP/1.2")],
    allow: [refused(400, 505), { ...passed({ target: "/x" }), because: "reading it as 1.1 is what 2.5 suggests" }],
  },
  {
    id: "line-h2-preface-whole",
    why: "RFC 9113 3.4: the preface of HTTP/2 opens HTTP/2, and what comes back begins with SETTINGS",
    notOverTls: "there ALPN alone chooses HTTP/2 (RFC 9113 3.3)",
    send: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\0\0\0\x04\0\0\0\0\0", END],
    // oxlint-disable-next-line no-control-regex -- a frame: its length, SETTINGS, no flags, stream 0
    allow: [{ ...dropped(), received: /^\0\0[^]\x04\0\0\0\0\0/ }],
  },
  {
    id: "line-h2-preface-broken",
    why: "RFC 9113 3.4: what begins like a preface of HTTP/2 and is none must not become a PRI request",
    send: ["PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n"],
    allow: [refused(400, 501, 505)],
  },
  {
    id: "line-tls-hello-on-a-plain-port",
    why: "a TLS ClientHello is refused at once, not waited on for a line end that never comes",
    send: ["\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + "\x5a".repeat(40)],
    allow: [
      refused(400),
      { backend: [], client: [], after: "closed", because: "a client that speaks TLS reads no HTTP answer" },
    ],
  },
  {
    id: "line-ssh-banner",
    why: "another protocol is refused, not forwarded",
    send: ["SSH-2.0-OpenSSH_9.6\r\n"],
    allow: [refused(400)],
  },
];
