// Chunk extensions (RFC 9112 section 7.1.1): dropped when well formed, refused when their line end is in doubt.
import { chunked, head, passed, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const smuggled = head("GET /smuggled HTTP/1.1");
const end = "0\r\n\r\n";

const wellFormed: readonly (readonly [string, string])[] = [
  ["name", "5;a"],
  ["value", "5;a=b"],
  ["quoted", '5;a="b c"'],
  ["quoted-semicolon", '5;a="b;c=d"'],
  ["several", '5;a=b;c;d="e"'],
];

const doubtful: readonly (readonly [string, string])[] = [
  ["empty", "5;"],
  ["blank-before", "5 ;a=b"],
  ["blank-behind", "5; a = b "],
  ["obs-text", "5;a=\xe9"],
  ["unclosed-quote", '5;a="b'],
  ["only-equals", "5;=b"],
];

const malformed: readonly (readonly [string, string, string])[] = [
  ["bare-lf", `5;a=b\nhello\r\n${end}`, "LF ends the line for one parser, CRLF for the other (TERM.EXT)"],
  ["bare-lf-empty", `5;\nhello\r\n${end}`, "the same with an empty extension"],
  ["bare-cr", `5;a\rb\r\nhello\r\n${end}`, "a bare CR inside an extension (EXT.TERM)"],
  ["cr-cr-lf", `5;a\r\r\nhello\r\n${end}`, "a bare CR before the line end"],
  ["nul", `5;a=\0\r\nhello\r\n${end}`, "NUL inside an extension"],
  ["control", `5;a=\x01\r\nhello\r\n${end}`, "a control character inside an extension"],
  ["last-bare-lf", `5\r\nhello\r\n0;a\n\r\n${smuggled}`, "LF at the end of the last chunk"],
  [
    "term-ext-attack",
    `2;\nxx\r\n${(smuggled.length + 7).toString(16)}\r\n0\r\n\r\n${smuggled}\r\n${end}`,
    "two readings: one sees a second request inside what the other takes for chunk data (Funky chunks, 2025)",
  ],
  [
    "ext-term-attack",
    `2;\rxx\r\n${(smuggled.length + 7).toString(16)}\r\n0\r\n\r\n${smuggled}\r\n${end}`,
    "the same with a bare CR",
  ],
  ["quoted-line-end", `5;a="\n"\r\nhello\r\n${end}`, "LF inside a quoted extension value"],
];

/** Chunk extensions. */
export const chunkExtensionCases: readonly ProtocolCase[] = [
  ...wellFormed.map(([name, line]) => ({
    id: `extension-${name}`,
    why: "RFC 9112 7.1.1: an extension the gateway does not know is ignored, and not sent on",
    send: [chunked(`${line}\r\nhello\r\n${end}`)],
    allow: [passed({ body: "hello" })] as const,
  })),
  ...doubtful.map(([name, line]) => ({
    id: `extension-${name}`,
    why: "RFC 9112 7.1.1: outside the grammar, but its line end is in no doubt",
    send: [chunked(`${line}\r\nhello\r\n${end}`)],
    allow: [
      passed({ body: "hello" }),
      { ...refused(400), because: "strictness is as safe: nothing of it reaches the backend either way" },
    ] as const,
  })),
  ...malformed.map(([name, bytes, why]) => ({
    id: `extension-${name}`,
    why,
    send: [chunked(bytes)],
    allow: [refused(400)] as const,
  })),
  {
    id: "extension-on-last-chunk",
    why: "RFC 9112 7.1: the last chunk may have extensions too",
    send: [chunked("5\r\nhello\r\n0;a=b\r\n\r\n")],
    allow: [passed({ body: "hello" })],
  },
  {
    id: "extension-of-64-kib",
    why: "CVE-2023-39326 (class): extensions cost reads without giving body, so they have a bound",
    send: [chunked(`5;${"a".repeat(65536)}\r\nhello\r\n${end}`)],
    allow: [refused(400, 413, 431)],
  },
  {
    id: "extension-small-but-on-every-chunk",
    why: "CVE-2023-39326 (class): the bound is on the sum over a body, not on each line",
    send: [chunked(`${`1;${"a".repeat(200)}\r\nx\r\n`.repeat(1000)}${end}`)],
    allow: [
      refused(400, 413, 431),
      { ...passed({ body: "x".repeat(1000) }), because: "a bound that grows with the content is one too" },
    ],
  },
];
