// Request smuggling where length and coding contradict each other (RFC 9112 section 6.3 and 11.2): CL.TE, TE.CL.
import { head, HOST, rawHead, refused } from "../case.ts";
import type { ProtocolCase } from "../case.ts";

const line = "POST /smuggle HTTP/1.1";
const smuggled = head("GET /smuggled HTTP/1.1");
const end = "0\r\n\r\n";

const both: readonly (readonly [string, string, string])[] = [
  [
    "cl-te",
    `${head(line, `Content-Length: ${end.length + smuggled.length}`, "Transfer-Encoding: chunked")}${end}${smuggled}`,
    "a backend that believes the coding runs the rest as a request",
  ],
  [
    "te-cl",
    `${head(line, "Transfer-Encoding: chunked", "Content-Length: 4")}${smuggled.length.toString(16)}\r\n${smuggled}\r\n${end}`,
    "a backend that believes the length runs the chunk as a request",
  ],
  [
    "cl-zero-te",
    `${head(line, "Content-Length: 0", "Transfer-Encoding: chunked")}${end}${smuggled}`,
    "zero is a length too",
  ],
  [
    "cl-te-consistent",
    `${head(line, "Content-Length: 15", "Transfer-Encoding: chunked")}5\r\nhello\r\n${end}`,
    "both say the same here, but nobody can rely on it",
  ],
  [
    "cl-te-mixed-case",
    `${head(line, "CONTENT-length: 5", "tRANSFER-eNCODING: cHUNKED")}${end}${smuggled}`,
    "names and coding compare without case",
  ],
  [
    "cl-te-identity",
    `${head(line, "Content-Length: 5", "Transfer-Encoding: identity")}hello${smuggled}`,
    "RFC 9112 7: identity is no coding any more; a backend may ignore it or the length",
  ],
  [
    "cl-te-empty",
    `${head(line, "Content-Length: 5", "Transfer-Encoding:")}hello${smuggled}`,
    "an empty coding is absent for some",
  ],
  [
    "cl-te-unknown",
    `${head(line, "Content-Length: 5", "Transfer-Encoding: cow")}hello${smuggled}`,
    "an unknown coding is ignored by some",
  ],
  [
    "cl-te-get",
    `${head("GET /smuggle HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked")}${end}`,
    "the method does not matter",
  ],
  [
    "cl-cl-te",
    `${head(line, "Content-Length: 5", "Content-Length: 5", "Transfer-Encoding: chunked")}${end}`,
    "two lengths and a coding",
  ],
  [
    "te-cl-many-fields-apart",
    `${head(line, "Transfer-Encoding: chunked", ...Array.from({ length: 80 }, (_, i) => `X-${i}: y`), "Content-Length: 5")}${end}`,
    "the two may stand far apart",
  ],
  [
    "cl-te-1.0",
    `${rawHead("POST /smuggle HTTP/1.0", `Host: ${HOST}`, "Content-Length: 5", "Transfer-Encoding: chunked")}${end}`,
    "RFC 9112 6.1: a coding in HTTP/1.0 is faulty framing",
  ],
];

const hidden: readonly (readonly [string, string])[] = [
  ["cl-space-before-colon", "Content-Length : 5"],
  ["cl-tab-before-colon", "Content-Length\t: 5"],
  ["cl-vertical-tab-before-colon", "Content-Length\x0b: 5"],
  ["cl-nul-in-name", "Content-Length\0: 5"],
  ["cl-leading-space", " Content-Length: 5"],
  ["cl-after-bare-lf", "X-Foo: a\nContent-Length: 5"],
  ["cl-after-bare-cr", "X-Foo: a\rContent-Length: 5"],
  ["cl-name-split", "Content-\r\nLength: 5"],
  ["cl-folded-value", "Content-Length:\r\n\t5"],
  ["cl-underscore", "Content_Length: 5"],
];

/** Length against coding. */
export const lengthAgainstCodingCases: readonly ProtocolCase[] = [
  ...both.map(([name, bytes, why]) => ({
    id: `smuggle-${name}`,
    why: `RFC 9112 6.3, 11.2: ${why}`,
    send: [bytes],
    allow: [refused(400, 501)] as const,
  })),
  {
    id: "smuggle-te-in-1.0",
    why: "RFC 9112 6.1: Transfer-Encoding in HTTP/1.0 is faulty framing; the connection is closed",
    send: [`${rawHead("POST /smuggle HTTP/1.0", `Host: ${HOST}`, "Transfer-Encoding: chunked")}${end}${smuggled}`],
    allow: [refused(400)],
  },
  {
    id: "smuggle-te-in-1.0-keep-alive",
    why: "RFC 9112 6.1: keep-alive does not make it valid",
    send: [
      `${rawHead("POST /smuggle HTTP/1.0", `Host: ${HOST}`, "Connection: keep-alive", "Transfer-Encoding: chunked")}${end}${smuggled}`,
    ],
    allow: [refused(400)],
  },
  ...hidden.map(([name, field]) => ({
    id: `smuggle-hidden-${name}`,
    why: "RFC 9112 5.1, 2.2: a length only one of two parsers sees (0.CL, CL.0) is refused, not cleaned and passed",
    send: [`${head("GET /smuggle HTTP/1.1", field)}hello${smuggled}`],
    allow: [refused(400)] as const,
  })),
  ...hidden.map(([name, field]) => ({
    id: `smuggle-chunked-and-hidden-${name}`,
    why: "RFC 9112 5.1, 2.2: the same beside a valid coding (TE.CL with one side hidden)",
    send: [`${head(line, "Transfer-Encoding: chunked", field)}${end}${smuggled}`],
    allow: [refused(400)] as const,
  })),
];
