// Content-Length (RFC 9112 section 6.2, 6.3; RFC 9110 section 8.6).
import { dropped, END, head, passed, passedAll, post, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const line = "POST /length HTTP/1.1";
const smuggled = head("GET /smuggled HTTP/1.1");

const invalid: readonly (readonly [string, string, string])[] = [
  ["empty", "", "RFC 9110 8.6: at least one digit"],
  ["plus", "+5", "RFC 9110 8.6: digits only; integer parsers take the sign"],
  ["minus", "-5", "RFC 9110 8.6: digits only; a negative length wraps"],
  ["hex", "0x5", "RFC 9110 8.6: decimal only"],
  ["fraction", "5.0", "RFC 9110 8.6: digits only"],
  ["exponent", "5e0", "RFC 9110 8.6: digits only"],
  ["underscore", "0_5", "RFC 9110 8.6: some languages read digit groups"],
  ["inner-space", "1 5", "RFC 9110 8.6: one number"],
  ["semicolon", "5;", "RFC 9110 8.6: no parameters"],
  ["quoted", '"5"', "RFC 9110 8.6: not a quoted string"],
  ["letters", "five", "RFC 9110 8.6: digits only"],
  ["trailing-letters", "5x", "RFC 9110 8.6: prefix parsers read 5"],
  ["trailing-comma", "5,", "RFC 9110 8.6: no list"],
  ["nul", "5\0", "RFC 9110 5.5: NUL"],
  ["vertical-tab", "\x0b5", "RFC 9110 5.6.3: VT is not optional whitespace, though isspace() says so"],
  ["form-feed", "5\x0c", "RFC 9110 5.6.3: FF is not optional whitespace"],
  ["nbsp", "5\xa0", "RFC 9110 5.6.3: NBSP is not optional whitespace"],
  ["superscript", "\xb2", "unicode digit predicates accept it"],
  ["list-different", "5, 6", "RFC 9112 6.3: differing values cannot be recovered"],
  ["over-64-bit", "18446744073709551621", "2^64 + 5 wraps to 5"],
  ["over-63-bit", "9223372036854775813", "2^63 + 5 turns negative"],
  ["thirty-digits", "9".repeat(30), "beyond any integer"],
];

/** Lengths. */
export const contentLengthCases: readonly ProtocolCase[] = [
  ...invalid.map(([name, value, why]) => ({
    id: `length-${name}`,
    why,
    send: [`${head(line, `Content-Length: ${value}`)}hello${smuggled}`],
    allow: [refused(400, 413)] as const,
  })),
  {
    id: "length-plain",
    why: "RFC 9112 6.3: the body is as long as the length says",
    send: [post("hello")],
    allow: [passed({ method: "POST", body: "hello", fields: { "content-length": "5", "transfer-encoding": null } })],
  },
  {
    id: "length-zero",
    why: "RFC 9112 6.3: zero is a length",
    send: [post("")],
    allow: [passed({ body: "", fields: { "transfer-encoding": null } })],
  },
  {
    id: "length-blanks-around",
    why: "RFC 9112 5.1: optional whitespace around the value is not part of it",
    send: [`${head(line, "Content-Length: \t5 \t")}hello`],
    allow: [passed({ body: "hello", fields: { "content-length": "5" } })],
  },
  {
    id: "length-leading-zeros",
    why: "RFC 9110 8.6 allows leading zeros; octal readers see another number",
    send: [`${head(line, "Content-Length: 010")}0123456789`],
    allow: [
      refused(400),
      {
        ...passed({ body: "0123456789", fields: { "content-length": "10" } }),
        because: "rewritten without the zeros it is one number for everybody",
      },
    ],
  },
  {
    id: "length-twice-same",
    why: "RFC 9112 6.3: refuse, or send on one field",
    send: [`${head(line, "Content-Length: 5", "Content-Length: 5")}hello`],
    allow: [
      refused(400),
      { ...passed({ body: "hello", fields: { "content-length": "5" } }), because: "the RFC offers this choice" },
    ],
  },
  {
    id: "length-list-same",
    why: "RFC 9112 6.3: refuse, or send on one number",
    send: [`${head(line, "Content-Length: 5, 5")}hello`],
    allow: [
      refused(400),
      { ...passed({ body: "hello", fields: { "content-length": "5" } }), because: "the RFC offers this choice" },
    ],
  },
  {
    id: "length-twice-different",
    why: "RFC 9112 6.3: unrecoverable; first wins here, last wins there (CL.CL)",
    send: [`${head(line, "Content-Length: 5", "Content-Length: 0")}hello`],
    allow: [refused(400)],
  },
  {
    id: "length-twice-different-case",
    why: "RFC 9110 5.1: names compare without case, so this is a second length",
    send: [`${head(line, "content-length: 0", "CONTENT-LENGTH: 5")}hello`],
    allow: [refused(400)],
  },
  {
    id: "length-folded",
    why: "RFC 9112 5.2: a folded length is empty to one parser and 5 to another",
    send: [`${head(line, "Content-Length:", " 5")}hello`],
    allow: [refused(400)],
  },
  {
    id: "length-underscore-twin",
    why: "Content_Length is Content-Length to CGI-like backends",
    send: [`${head(line, "Content_Length: 5", "Content-Length: 0")}hello`],
    allow: [refused(400)],
  },
  {
    id: "length-of-2-32-plus-5",
    why: "a 32-bit counter would take 5 bytes as the whole body and what follows as a request",
    send: [`${head(line, "Content-Length: 4294967301")}hello${smuggled}`, { pause: 100 }, END],
    allow: [
      refused(400, 408, 413),
      { ...dropped(), because: "the client left inside its body: there is nobody to answer" },
    ],
  },
  {
    id: "length-cut-by-fin",
    why: "RFC 9112 8: a body shorter than its length is incomplete and must not look whole",
    send: [`${head(line, "Content-Length: 10")}hello`, { awaitHead: 1 }, END],
    allow: [refused(400, 408), { ...dropped(), because: "the client left inside its body" }],
  },
  {
    id: "length-with-get",
    why: "RFC 9110 9.3.1: a GET may carry content; it must arrive as content, not as the next request (CL.0)",
    send: [`${head("GET /length HTTP/1.1", `Content-Length: ${smuggled.length}`)}${smuggled}`],
    allow: [
      passed({ method: "GET", body: smuggled }),
      { ...refused(400), because: "RFC 9110 9.3.1 lets a server close the connection on it" },
    ],
  },
  {
    id: "length-with-delete",
    why: "RFC 9110 9.3.5: a DELETE may carry content",
    send: [`${head("DELETE /length HTTP/1.1", "Content-Length: 5")}hello`],
    allow: [passed({ method: "DELETE", body: "hello" })],
  },
  {
    id: "length-with-options-asterisk",
    why: "RFC 9110 9.3.7: OPTIONS may carry content",
    send: [`${head("OPTIONS * HTTP/1.1", "Content-Length: 5", "Content-Type: text/plain")}hello`],
    allow: [passed({ method: "OPTIONS", target: "*", body: "hello" })],
  },
  {
    id: "length-missing-on-post",
    why: "RFC 9112 6.3: a request without length and coding has no body; what follows is the next request",
    send: [head(line) + head("GET /second HTTP/1.1")],
    allow: [passedAll([{ method: "POST", body: "" }, { target: "/second" }])],
  },
  {
    id: "length-then-garbage",
    why: "RFC 9112 9.3: bytes behind the body are the next message, and this one is malformed",
    send: [`${post("hello")}!! not http\r\n\r\n`],
    allow: [{ backend: [{ body: "hello" }], client: [{ status: 200 }, { status: 400 }], after: "closed" }],
  },
  {
    id: "length-body-in-single-bytes",
    why: "RFC 9112 6: a body is octets, however it is cut into segments",
    send: [head(line, "Content-Length: 5"), "h", "e", "l", "l", "o"],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "length-all-byte-values",
    why: "RFC 9110 6.4: content is opaque",
    send: [post(String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)))],
    allow: [passed({ body: String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)) })],
  },
  {
    id: "length-one-mebibyte",
    why: "a body larger than any buffer arrives whole",
    send: [post("0123456789abcdef".repeat(65536))],
    allow: [passed({ body: "0123456789abcdef".repeat(65536) })],
  },
];
