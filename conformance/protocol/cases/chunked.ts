// The chunked coding of request bodies (RFC 9112 section 7.1).
import { bytewise, chunked, dropped, END, head, passed, passedAll, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const smuggled = head("GET /smuggled HTTP/1.1");
const end = "0\r\n\r\n";

const malformed: readonly (readonly [string, string, string])[] = [
  ["size-empty", `\r\nhello\r\n${end}`, "RFC 9112 7.1: at least one digit"],
  ["size-not-hex", `g\r\nhello\r\n${end}`, "RFC 9112 7.1: hex digits only"],
  ["size-0x", `0x5\r\nhello\r\n${end}`, "strtol() reads the prefix"],
  ["size-plus", `+5\r\nhello\r\n${end}`, "strtol() reads the sign"],
  ["size-minus", `-5\r\nhello\r\n${end}`, "strtol() reads the sign; the size wraps"],
  ["size-minus-zero", `-0\r\n\r\n${smuggled}`, "minus zero is the last chunk for some"],
  ["size-underscore", `0_5\r\nhello\r\n${end}`, "some languages read digit groups"],
  ["size-leading-space", ` 5\r\nhello\r\n${end}`, "strtol() skips blanks"],
  ["size-inner-space", `0 5\r\nhello\r\n${end}`, "one number"],
  ["size-letters-behind", `5x\r\nhello\r\n${end}`, "prefix parsers read 5"],
  ["size-comma", `5,\r\nhello\r\n${end}`, "prefix parsers read 5"],
  ["size-nul", `5\0\r\nhello\r\n${end}`, "a NUL ends a C string"],
  ["size-vertical-tab", `5\x0b\r\nhello\r\n${end}`, "VT is not whitespace here"],
  ["size-over-64-bit", `10000000000000005\r\nhello\r\n${end}`, "2^64 + 5 wraps to 5"],
  ["size-all-ones", `FFFFFFFFFFFFFFFF\r\nhello\r\n${end}`, "2^64 - 1 is -1"],
  ["size-bare-lf", `5\nhello\r\n${end}`, "RFC 9112 7.1: CRLF ends the size line"],
  ["size-bare-cr", `5\rhello\r\n${end}`, "RFC 9112 7.1: CRLF ends the size line"],
  ["size-cr-then-byte", `5\rXhello\r\n${end}`, "the LF is checked, not skipped"],
  ["size-cr-cr-lf", `5\r\r\nhello\r\n${end}`, "RFC 9112 7.1: CRLF ends the size line"],
  ["data-bare-lf", `5\r\nhello\n${end}`, "RFC 9112 7.1: CRLF follows the data (TERM.SPILL)"],
  ["data-bare-cr", `5\r\nhello\r${end}`, "RFC 9112 7.1: CRLF follows the data"],
  ["data-no-crlf", `5\r\nhello${end}`, "RFC 9112 7.1: CRLF follows the data"],
  ["data-byte-then-lf", `5\r\nhelloX\n${end}`, "the CR is checked, not skipped (SPILL.TERM)"],
  ["data-cr-then-byte", `5\r\nhello\rX${end}`, "the LF is checked, not skipped (SPILL.TERM)"],
  ["data-two-other-bytes", `5\r\nhelloXX${end}`, "two bytes skipped unread hide data from one parser (SPILL.TERM)"],
  ["data-longer-than-size", `5\r\nhello!!\r\n${end}`, "RFC 9112 7.1: the size is exact"],
  ["data-shorter-than-size", `7\r\nhello\r\n${end}`, "RFC 9112 7.1: the size is exact"],
  ["last-bare-lf", `5\r\nhello\r\n0\n\n${smuggled}`, "RFC 9112 7.1: CRLF ends the last size line"],
  ["last-then-lf", `5\r\nhello\r\n0\r\n\n${smuggled}`, "RFC 9112 7.1.2: CRLF ends the trailer section"],
  ["last-then-cr", `5\r\nhello\r\n0\r\n\r${smuggled}`, "RFC 9112 7.1.2: CRLF ends the trailer section"],
  ["last-then-cr-and-byte", `5\r\nhello\r\n0\r\n\rX${smuggled}`, "the LF is checked, not skipped"],
  ["last-then-two-bytes", `5\r\nhello\r\n0\r\nXX${smuggled}`, "skipping two bytes unread runs what follows"],
  ["last-then-request", `5\r\nhello\r\n0\r\n${smuggled}`, "a request line is not a trailer field"],
  ["last-with-sign", `5\r\nhello\r\n+0\r\n\r\n${smuggled}`, "RFC 9112 7.1: zeros only"],
];

/** Chunk sizes, chunk data and the last chunk. */
export const chunkedCases: readonly ProtocolCase[] = [
  ...malformed.map(([name, bytes, why]) => ({
    id: `chunk-${name}`,
    why,
    send: [chunked(bytes)],
    allow: [refused(400, 413)] as const,
  })),
  {
    id: "chunk-plain",
    why: "RFC 9112 7.1: chunks are one body",
    send: [chunked(`5\r\nhello\r\n6\r\n world\r\n${end}`)],
    allow: [passed({ body: "hello world" })],
  },
  {
    id: "chunk-empty-body",
    why: "RFC 9112 7.1: the last chunk alone is an empty body",
    send: [chunked(end)],
    allow: [passed({ body: "" })],
  },
  {
    id: "chunk-size-upper-and-lower-case",
    why: "RFC 9112 7.1: hex digits of either case",
    send: [chunked(`a\r\n0123456789\r\nB\r\n0123456789a\r\n${end}`)],
    allow: [passed({ body: "01234567890123456789a" })],
  },
  {
    id: "chunk-size-leading-zeros",
    why: "RFC 9112 7.1: zeros may lead a size",
    send: [chunked(`0005\r\nhello\r\n000\r\n\r\n`)],
    allow: [passed({ body: "hello" }), { ...refused(400), because: "nobody sends them" }],
  },
  {
    id: "chunk-size-of-5000-zeros",
    why: "a size line has a bound",
    send: [chunked(`${"0".repeat(5000)}5\r\nhello\r\n${end}`)],
    allow: [refused(400, 413), { ...passed({ body: "hello" }), because: "the number itself is valid" }],
  },
  {
    id: "chunk-size-of-2-32-plus-5",
    why: "a 32-bit size would take 5 bytes as the chunk and read on in its data",
    send: [chunked(`100000005\r\nhello\r\n${end}${smuggled}`), { pause: 100 }, END],
    allow: [refused(400, 408, 413), { ...dropped(), because: "the client left inside its body" }],
  },
  {
    id: "chunk-size-trailing-blank",
    why: "RFC 9112 7.1.1 (BWS): blanks before the end of the size line are read by some",
    send: [chunked(`5 \r\nhello\r\n${end}`)],
    allow: [
      refused(400),
      { ...passed({ body: "hello" }), because: "sent on without the blank it is one body for everybody" },
    ],
  },
  {
    id: "chunk-with-get",
    why: "RFC 9112 6: any method may carry content, and it must not become the next request",
    send: [
      `${head("GET /chunked HTTP/1.1", "Transfer-Encoding: chunked")}${smuggled.length.toString(16)}\r\n${smuggled}\r\n${end}`,
    ],
    allow: [
      passed({ method: "GET", body: smuggled }),
      { ...refused(400), because: "RFC 9110 9.3.1 lets a server refuse it" },
    ],
  },
  {
    id: "chunk-coding-in-upper-case",
    why: "RFC 9112 7: coding names compare without case",
    send: [`${head("POST /chunked HTTP/1.1", "TRANSFER-ENCODING: CHUNKED")}5\r\nhello\r\n${end}`],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "chunk-coding-blanks-around",
    why: "RFC 9112 5.1: optional whitespace around the value is not part of it",
    send: [`${head("POST /chunked HTTP/1.1", "Transfer-Encoding:\t chunked \t")}5\r\nhello\r\n${end}`],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "chunk-one-byte-each",
    why: "many small chunks are one body",
    send: [chunked(`${"1\r\nx\r\n".repeat(2000)}${end}`)],
    allow: [passed({ body: "x".repeat(2000) })],
  },
  {
    id: "chunk-in-single-bytes",
    why: "RFC 9112 7.1: a coding is octets, however it is cut into segments",
    send: [chunked(""), ...bytewise("5;x=y\r\nhello\r\nb\r\n0123456789a\r\n0\r\nX-T: 1\r\n\r\n")],
    allow: [passed({ body: "hello0123456789a" })],
  },
  {
    id: "chunk-one-mebibyte",
    why: "a chunk larger than any buffer arrives whole",
    send: [chunked(`100000\r\n${"0123456789abcdef".repeat(65536)}\r\n${end}`)],
    allow: [passed({ body: "0123456789abcdef".repeat(65536) })],
  },
  {
    id: "chunk-all-byte-values",
    why: "chunk data is opaque, line ends in it too",
    send: [chunked(`100\r\n${String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))}\r\n${end}`)],
    allow: [passed({ body: String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)) })],
  },
  {
    id: "chunk-data-that-looks-like-the-end",
    why: "sizes decide, not what the data looks like",
    send: [chunked(`b\r\n\r\n0\r\n\r\nGET \r\n${end}`)],
    allow: [passed({ body: "\r\n0\r\n\r\nGET " })],
  },
  {
    id: "chunk-then-next-request",
    why: "RFC 9112 9.3: what follows the last chunk is the next request",
    send: [chunked(`5\r\nhello\r\n${end}`) + head("GET /second HTTP/1.1")],
    allow: [passedAll([{ body: "hello" }, { target: "/second", body: "" }])],
  },
  {
    id: "chunk-body-cut-by-fin",
    why: "RFC 9112 8: without the last chunk a body is incomplete and must not look whole",
    send: [chunked("5\r\nhello\r\n"), { awaitHead: 1 }, END],
    allow: [refused(400, 408), { ...dropped(), because: "the client left inside its body" }],
  },
  {
    id: "chunk-trailer-section-cut-by-fin",
    why: "RFC 9112 8: the zero chunk is not the end, the empty line is",
    send: [chunked("5\r\nhello\r\n0\r\n"), { awaitHead: 1 }, END],
    allow: [refused(400, 408), { ...dropped(), because: "the client left inside its body" }],
  },
];
