// Field lines (RFC 9112 section 5, RFC 9110 section 5): names, values, line ends, limits.
import { bytewise, END, head, HOST, passed, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const get = "GET /fields HTTP/1.1";
const start = `${get}\r\nHost: ${HOST}\r\n`;

const badName: readonly (readonly [string, string])[] = [
  ["empty", ": x"],
  ["no-colon", "X-Foo"],
  ["inner-space", "X Foo: x"],
  ["space-before-colon", "X-Foo : x"],
  ["tab-before-colon", "X-Foo\t: x"],
  ["vertical-tab-before-colon", "X-Foo\x0b: x"],
  ["nul", "X-\0Foo: x"],
  ["nul-before-colon", "X-Foo\0: x"],
  ["del", "X-Foo\x7f: x"],
  ["obs-text", "X-Fo\xf6: x"],
  ["utf-8", "X-F\xc3\xb6: x"],
  ["paren", "X-(Foo): x"],
  ["quote", '"X-Foo": x'],
  ["slash", "X/Foo: x"],
  ["brackets", "X[Foo]: x"],
  ["at", "X@Foo: x"],
  ["comma", "X,Foo: x"],
  ["equals", "X=Foo: x"],
  ["backslash", "X\\Foo: x"],
];

const badValue: readonly (readonly [string, string])[] = [
  ["nul", "a\0b"],
  ["bare-cr", "a\rb"],
  ["bare-cr-at-end", "a\r"],
  ["bare-lf", "a\nX-Injected: 1"],
  ["lf-cr", "a\n\rX-Injected: 1"],
  ["soh", "a\x01b"],
  ["backspace", "a\x08b"],
  ["vertical-tab", "a\x0bb"],
  ["form-feed", "a\x0cb"],
  ["escape", "a\x1b[2Jb"],
  ["del", "a\x7fb"],
];

/** Field lines. */
export const headerCases: readonly ProtocolCase[] = [
  ...badName.map(([name, line]) => ({
    id: `field-name-${name}`,
    why: "RFC 9112 5.1: a field line is token, colon, value; whitespace or anything else in the name is 400",
    send: [head(get, line)],
    allow: [refused(400)] as const,
  })),
  ...badValue.map(([name, value]) => ({
    id: `field-value-${name}`,
    why: "RFC 9110 5.5: CR, LF, NUL and other control characters are invalid in a value",
    send: [head(get, `X-Foo: ${value}`)],
    allow: [refused(400)] as const,
  })),
  {
    id: "field-name-underscore",
    why: "CGI-like backends read X_Foo and X-Foo as one: the spoofed twin of a trusted field is refused",
    send: [head(get, "X_Foo: x")],
    allow: [refused(400)],
  },
  {
    id: "field-folded",
    why: "RFC 9112 5.2: obs-fold is refused",
    send: [head(get, "X-Foo: a", " b")],
    allow: [refused(400)],
  },
  {
    id: "field-folded-with-tab",
    why: "RFC 9112 5.2: obs-fold is refused",
    send: [head(get, "X-Foo: a", "\tb: c")],
    allow: [refused(400)],
  },
  {
    id: "field-first-line-blank-led",
    why: "RFC 9112 2.2: whitespace between start line and first field hides that field from some parsers",
    send: [`${get}\r\n X-Foo: a\r\nHost: ${HOST}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "field-blank-line-of-spaces",
    why: "RFC 9112 2.2: a line of blanks is not the end of the head",
    send: [`${start}X-Foo: a\r\n \r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "field-bare-lf-lines",
    why: "RFC 9112 2.2: LF alone ends no line here",
    send: [`${get}\nHost: ${HOST}\n\n`],
    allow: [refused(400)],
  },
  {
    id: "field-head-ended-by-crlf-lf",
    why: "RFC 9112 2.2: CRLF LF ends the head for lenient parsers only",
    send: [`${start}\nGET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "field-head-ended-by-cr-cr-lf",
    why: "RFC 9112 2.2: a bare CR before the line end",
    send: [`${start}X-Foo: a\r\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "field-head-ended-by-lf-crlf",
    why: "RFC 9112 2.2: LF CRLF ends the head for lenient parsers only",
    send: [`${start}X-Foo: a\n\r\nGET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "field-head-ended-by-cr-and-byte",
    why: "RFC 9112 2.2: the LF of the empty line is checked, not skipped",
    send: [`${start}\rXGET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    allow: [refused(400)],
  },
  {
    id: "field-two-colons",
    why: "RFC 9112 5.1: the first colon ends the name, the rest is value",
    send: [head(get, "X-Foo:: a:b")],
    allow: [passed({ fields: { "x-foo": ": a:b" } })],
  },
  {
    id: "field-empty-value",
    why: "RFC 9110 5.5: a value may be empty",
    send: [head(get, "X-Foo:")],
    allow: [passed({ fields: { "x-foo": "" } })],
  },
  {
    id: "field-obs-text-kept",
    why: "RFC 9110 5.5: obs-text is opaque data and is passed byte for byte",
    send: [head(get, "X-Foo: \x80\xff caf\xc3\xa9 \xa0")],
    allow: [passed({ fields: { "x-foo": "\x80\xff caf\xc3\xa9 \xa0" } })],
  },
  {
    id: "field-all-visible-bytes-kept",
    why: "RFC 9110 5.5: every visible character, blank and tab inside a value is kept",
    send: [head(get, `X-Foo: ${String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i))}\ta b`)],
    allow: [
      passed({ fields: { "x-foo": `${String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i))}\ta b` } }),
    ],
  },
  {
    id: "field-all-token-characters-in-name",
    why: "RFC 9110 5.1: every token character but the underscore may stand in a name",
    send: [head(get, "X!#$%&'*+-.^`|~9: y")],
    allow: [passed({ fields: { "x!#$%&'*+-.^`|~9": "y" } }), { ...refused(400), because: "such names are unused" }],
  },
  {
    id: "field-repeated-kept-in-order",
    why: "RFC 9110 5.3: a proxy does not reorder lines of one name",
    send: [head(get, "X-Foo: 1", "X-Bar: x", "X-Foo: 2", "x-foo: 3")],
    allow: [passed({ fields: { "x-foo": "1, 2, 3", "x-bar": "x" } })],
  },
  {
    id: "field-cookies-kept",
    why: "RFC 6265 5.4 and RFC 9113 8.2.3: several Cookie lines reach the backend whole",
    send: [head(get, "Cookie: a=1; b=2", "Cookie: c=3")],
    allow: [passed({ fields: { cookie: /^a=1; b=2[;,] c=3$/ } })],
  },
  {
    id: "field-100-lines",
    why: "the limit is 100 fields, and 100 pass",
    send: [head(get, ...Array.from({ length: 99 }, (_, i) => `X-${i}: y`))],
    allow: [passed({ fields: { "x-98": "y" } })],
  },
  {
    id: "field-101-lines",
    why: "RFC 6585 5: more than 100 fields are 431",
    send: [head(get, ...Array.from({ length: 100 }, (_, i) => `X-${i}: y`))],
    allow: [refused(431)],
  },
  {
    id: "field-head-of-59-kib",
    why: "the limit is 60 KiB of head, and a little less passes",
    send: [head(get, `X-Foo: ${"y".repeat(59 * 1024)}`)],
    allow: [passed({ fields: { "x-foo": "y".repeat(59 * 1024) } })],
  },
  {
    id: "field-head-of-61-kib",
    why: "RFC 6585 5: a head beyond 60 KiB is 431",
    send: [head(get, `X-Foo: ${"y".repeat(61 * 1024)}`)],
    allow: [refused(431)],
  },
  {
    id: "field-endless-value",
    why: "a head that never ends is refused at the limit, not collected",
    send: [`${start}X-Foo: ${"y".repeat(200_000)}`],
    allow: [refused(431)],
  },
  {
    id: "field-endless-name",
    why: "a name that never ends is refused at the limit, not collected",
    send: [`${start}${"y".repeat(200_000)}`],
    allow: [refused(400, 431)],
  },
  {
    id: "field-head-cut-by-fin",
    why: "RFC 9112 8: an incomplete head is not a request",
    send: [`${start}X-Foo: a\r\n`, END],
    allow: [refused(400, 408), { backend: [], client: [], after: "closed", because: "there is nobody to answer" }],
  },
  {
    id: "field-head-in-single-bytes",
    why: "RFC 9112 2: a message is a sequence of octets, however it is cut into segments",
    send: bytewise(head(get, "X-Foo: bar")),
    allow: [passed({ target: "/fields", fields: { "x-foo": "bar" } })],
  },
];
