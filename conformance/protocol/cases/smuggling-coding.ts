// Request smuggling by a Transfer-Encoding that one parser sees and another does not (TE.TE; RFC 9112 section 6.1, 11.2).
import { head, passed, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const line = "POST /smuggle HTTP/1.1";
const smuggled = head("GET /smuggled HTTP/1.1");
const end = "0\r\n\r\n";

/** Field lines that are malformed: 400 whatever stands beside them. */
const malformed: readonly (readonly [string, string])[] = [
  ["space-before-colon", "Transfer-Encoding : chunked"],
  ["tab-before-colon", "Transfer-Encoding\t: chunked"],
  ["vertical-tab-before-colon", "Transfer-Encoding\x0b: chunked"],
  ["nul-before-colon", "Transfer-Encoding\0: chunked"],
  ["cr-before-colon", "Transfer-Encoding\r: chunked"],
  ["line-end-before-colon", "Transfer-Encoding\r\n : chunked"],
  ["leading-space", " Transfer-Encoding: chunked"],
  ["leading-tab", "\tTransfer-Encoding: chunked"],
  ["leading-nul", "\0Transfer-Encoding: chunked"],
  ["leading-vertical-tab", "\x0bTransfer-Encoding: chunked"],
  ["after-bare-lf", "X-Foo: a\nTransfer-Encoding: chunked"],
  ["after-bare-cr", "X-Foo: a\rTransfer-Encoding: chunked"],
  ["after-lf-in-value", "X-Foo: a\n\rTransfer-Encoding: chunked"],
  ["folded-into-other-field", "X-Foo: a\r\n Transfer-Encoding: chunked"],
  ["folded-value", "Transfer-Encoding:\r\n chunked"],
  ["folded-tail", "Transfer-Encoding: chunked\r\n x"],
  ["value-vertical-tab", "Transfer-Encoding: \x0bchunked"],
  ["value-form-feed", "Transfer-Encoding: \x0cchunked"],
  ["value-trailing-nul", "Transfer-Encoding: chunked\0"],
  ["value-trailing-vertical-tab", "Transfer-Encoding: chunked\x0b"],
  ["value-bare-cr", "Transfer-Encoding: chunked\r"],
  ["value-bare-lf-led", "Transfer-Encoding: \nchunked"],
  ["value-unit-separator", "Transfer-Encoding: \x1fchunked"],
  ["underscore", "Transfer_Encoding: chunked"],
  ["soft-hyphen", "Transfer\xadEncoding: chunked"],
  ["unicode-hyphen", "Transfer\xe2\x80\x90Encoding: chunked"],
  ["quoted-name", '"Transfer-Encoding": chunked'],
  ["space-in-name", "Transfer Encoding: chunked"],
];

/** Well-formed lines whose coding is not exactly `chunked`: 501, or 400. */
const otherCoding: readonly (readonly [string, string])[] = [
  ["x-prefix", "Transfer-Encoding: xchunked"],
  ["x-suffix", "Transfer-Encoding: chunkedx"],
  ["prefix-only", "Transfer-Encoding: chunk"],
  ["double-quoted", 'Transfer-Encoding: "chunked"'],
  ["single-quoted", "Transfer-Encoding: 'chunked'"],
  ["parameter", "Transfer-Encoding: chunked;q=1"],
  ["trailing-semicolon", "Transfer-Encoding: chunked;"],
  ["trailing-comma", "Transfer-Encoding: chunked,"],
  ["leading-comma", "Transfer-Encoding: ,chunked"],
  ["twice", "Transfer-Encoding: chunked, chunked"],
  ["twice-lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"],
  ["then-identity", "Transfer-Encoding: chunked, identity"],
  ["after-identity", "Transfer-Encoding: identity, chunked"],
  ["identity", "Transfer-Encoding: identity"],
  ["then-unknown-line", "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"],
  ["after-unknown-line", "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"],
  ["then-empty-line", "Transfer-Encoding: chunked\r\nTransfer-Encoding:"],
  ["gzip", "Transfer-Encoding: gzip"],
  ["gzip-then-chunked", "Transfer-Encoding: gzip, chunked"],
  ["chunked-then-gzip", "Transfer-Encoding: chunked, gzip"],
  ["space-separated", "Transfer-Encoding: identity chunked"],
  ["tab-inside", "Transfer-Encoding: chun\tked"],
  ["obs-text-led", "Transfer-Encoding: \xffchunked"],
  ["nbsp-led", "Transfer-Encoding: \xa0chunked"],
  ["kelvin-sign", "Transfer-Encoding: chun\xe2\x84\xaaed"],
  ["percent-encoded", "Transfer-Encoding: %63hunked"],
  ["name-in-value", "Transfer-Encoding: Transfer-Encoding: chunked"],
  ["colon-led", "Transfer-Encoding:: chunked"],
  ["empty", "Transfer-Encoding:"],
];

/** Codings in disguise. */
export const smugglingCodingCases: readonly ProtocolCase[] = [
  ...malformed.map(([name, field]) => ({
    id: `coding-${name}`,
    why: "RFC 9112 5.1, 2.2: a coding only one of two parsers sees (TE.TE) is refused",
    send: [`${head(line, `Content-Length: ${end.length + smuggled.length}`, field)}${end}${smuggled}`],
    allow: [refused(400, 501)] as const,
  })),
  ...otherCoding.map(([name, field]) => ({
    id: `coding-${name}`,
    why: "RFC 9112 6.1, 7: a coding other than exactly one `chunked` is not understood",
    send: [`${head(line, field)}${end}${smuggled}`],
    allow: [refused(400, 501)] as const,
  })),
  ...otherCoding.slice(0, 12).map(([name, field]) => ({
    id: `coding-${name}-beside-a-length`,
    why: "RFC 9112 6.3: the same beside a Content-Length (one of the two would be ignored by someone)",
    send: [`${head(line, `Content-Length: ${end.length}`, field)}${end}${smuggled}`],
    allow: [refused(400, 501)] as const,
  })),
  {
    id: "coding-similar-name",
    why: "RFC 9110 5.1: another name is another field; it must not change the framing",
    send: [`${head(line, `Content-Length: ${end.length}`, "Transfer%2DEncoding: chunked")}${end}`],
    allow: [passed({ body: end, fields: { "content-length": String(end.length), "transfer-encoding": null } })],
  },
  {
    id: "coding-content-encoding-chunked",
    why: "RFC 9110 8.4: Content-Encoding does not frame",
    send: [`${head(line, `Content-Length: ${end.length}`, "Content-Encoding: chunked")}${end}`],
    allow: [passed({ body: end, fields: { "content-encoding": "chunked" } })],
  },
  {
    id: "coding-without-blank",
    why: "RFC 9112 5.1: the whitespace after the colon is optional",
    send: [`${head(line, "Transfer-Encoding:chunked")}5\r\nhello\r\n${end}`],
    allow: [passed({ body: "hello" })],
  },
];
