// Trailer sections (RFC 9112 section 7.1.2, RFC 9110 section 6.5): passed where harmless, dropped where they could steer.
import { chunked, head, passed, passedAll, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const body = (trailers: string): string => chunked(`5\r\nhello\r\n0\r\n${trailers}\r\n`);

const dangerous: readonly (readonly [string, string, string])[] = [
  ["content-length", "99", "framing"],
  ["transfer-encoding", "chunked", "framing"],
  ["host", "evil.test", "routing"],
  ["authorization", "Basic YTpi", "authentication"],
  ["proxy-authorization", "Basic YTpi", "authentication"],
  ["cookie", "session=evil", "authentication"],
  ["x-forwarded-for", "6.6.6.6", "identity"],
  ["x-forwarded-proto", "https", "identity"],
  ["x-forwarded-host", "evil.test", "identity"],
  ["x-forwarded-client-cert", "By=x", "identity"],
  ["x-real-ip", "6.6.6.6", "identity"],
  ["x-request-id", "evil", "identity"],
  ["forwarded", "for=6.6.6.6", "identity"],
  ["connection", "x-user-id", "hop-by-hop"],
  ["keep-alive", "timeout=5", "hop-by-hop"],
  ["upgrade", "h2c", "hop-by-hop"],
  ["te", "trailers", "hop-by-hop"],
  ["trailer", "x-sum", "framing"],
  ["content-encoding", "gzip", "content format"],
  ["content-type", "text/html", "content format"],
  ["content-range", "bytes 0-4/5", "content format"],
  ["expect", "100-continue", "request control"],
  ["max-forwards", "0", "request control"],
  ["if-match", '"x"', "request control"],
  ["range", "bytes=0-1", "request control"],
];

const malformed: readonly (readonly [string, string])[] = [
  ["no-colon", "X-Sum\r\n"],
  ["empty-name", ": x\r\n"],
  ["space-before-colon", "X-Sum : x\r\n"],
  ["folded", "X-Sum: a\r\n b\r\n"],
  ["blank-led", " X-Sum: a\r\n"],
  ["bare-lf", "X-Sum: a\nX-Other: b\r\n"],
  ["bare-cr", "X-Sum: a\rb\r\n"],
  ["nul", "X-Sum: a\0b\r\n"],
  ["control", "X-Sum: a\x01b\r\n"],
];

/** Trailer sections of requests. */
export const trailerCases: readonly ProtocolCase[] = [
  {
    id: "trailer-plain",
    why: "RFC 9110 6.5.1: an unknown trailer field may be sent on or dropped, but never merged into the head",
    send: [chunked("5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "Trailer: X-Sum")],
    allow: [
      passed({ body: "hello", fields: { "x-sum": null }, trailers: { "x-sum": "1" } }),
      {
        ...passed({ body: "hello", fields: { "x-sum": null }, trailers: { "x-sum": null } }),
        because: "RFC 9110 6.5.1: trailers may be discarded",
      },
    ],
  },
  ...dangerous.map(([name, value, kind]) => ({
    id: `trailer-${name}`,
    why: `RFC 9110 6.5.1: a field of ${kind} must not come in a trailer section`,
    send: [body(`${name}: ${value}\r\n`)],
    allow: [
      passed({ body: "hello", trailers: { [name]: null } }),
      { ...refused(400), because: "refusing it is as safe as dropping it" },
    ] as const,
  })),
  ...malformed.map(([name, lines]) => ({
    id: `trailer-malformed-${name}`,
    why: "RFC 9112 7.1.2: trailer lines are field lines, with the same strictness",
    send: [body(lines)],
    allow: [refused(400)] as const,
  })),
  {
    id: "trailer-underscore-twin",
    why: "X_Forwarded_For is X-Forwarded-For to CGI-like backends",
    send: [body("X_Forwarded_For: 6.6.6.6\r\n")],
    allow: [refused(400), passed({ body: "hello", trailers: { x_forwarded_for: null } })],
  },
  {
    id: "trailer-section-of-70-kib",
    why: "a trailer section has the bound of a head",
    send: [body(`X-Sum: ${"y".repeat(70 * 1024)}\r\n`)],
    allow: [refused(400, 413, 431)],
  },
  {
    id: "trailer-of-1000-lines",
    why: "a trailer section has the bounds of a head; Go reads no more than 4 KiB of it, so a long one divides parsers",
    send: [body(Array.from({ length: 1000 }, (_, i) => `X-${i}: y\r\n`).join(""))],
    allow: [
      refused(400, 413, 431),
      { ...passed({ body: "hello", trailers: { "x-999": null } }), because: "dropping them all costs no memory" },
    ],
  },
  {
    id: "trailer-then-next-request",
    why: "RFC 9112 9.3: what follows the trailer section is the next request",
    send: [body("X-Sum: 1\r\n") + head("GET /second HTTP/1.1")],
    allow: [passedAll([{ body: "hello" }, { target: "/second" }])],
  },
  {
    id: "trailer-named-by-connection",
    why: "RFC 9110 7.6.1: a field that Connection names is dropped wherever it stands",
    send: [chunked("5\r\nhello\r\n0\r\nX-User-Id: evil\r\n\r\n", "Connection: x-user-id")],
    allow: [passed({ body: "hello", fields: { "x-user-id": null }, trailers: { "x-user-id": null } })],
  },
];
