import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkedDecoder, rawTrailers } from "./chunked.ts";

interface Decoded {
  readonly passed: string;
  readonly trailers: string;
  readonly rest: string;
  readonly content: number;
}

/** Feeds a body in pieces of this size; undefined where it is refused. */
function decode(text: string, mode: "raw" | "content", size = text.length): Decoded | "refused" | "incomplete" {
  const decoder = new ChunkedDecoder();
  decoder.start(mode);
  let passed = "";
  for (let at = 0; at < text.length; at += size) {
    const bytes = Buffer.from(text.slice(at, at + size), "latin1");
    const behind = decoder.feed(bytes, 0, bytes.length);
    if (behind < 0) return "refused";
    passed += bytes.toString("latin1", decoder.from, decoder.to);
    if (!decoder.done) continue;
    passed += rawTrailers(decoder)?.toString("latin1") ?? "";
    const { trailers, content } = decoder;
    return { passed, trailers, content, rest: text.slice(at + behind) };
  }
  return "incomplete";
}

const BODY = '5;ext=1\r\nhello\r\n1  ; a="b"\r\n \r\n00A\r\n0123456789\r\n0;last\r\n';

test("content is taken out, extensions and framing dropped, whatever the pieces", () => {
  for (let size = 1; size < 70; size++) {
    const decoded = decode(`${BODY}\r\nNEXT`, "content", size);
    assert.ok(typeof decoded === "object");
    assert.equal(decoded.passed, "hello 0123456789");
    assert.equal(decoded.content, 16);
    assert.ok("NEXT".startsWith(decoded.rest) || decoded.rest === "NEXT");
  }
});

test("raw keeps the framing without extensions, whatever the pieces", () => {
  for (let size = 1; size < 70; size++) {
    const decoded = decode(`${BODY}\r\n`, "raw", size);
    assert.ok(typeof decoded === "object");
    assert.equal(decoded.passed, "5\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\n");
  }
});

test("trailers that may pass do, in both modes; the others are dropped", () => {
  const section = 'X-Sum: 1\r\nContent-Length: 5\r\nAuthorization: x\r\nx-forwarded-for: y\r\nX_Y: z\r\nETag: "e"\r\n';
  const kept = 'X-Sum: 1\r\nETag: "e"\r\n';
  for (let size = 1; size < 80; size++) {
    const raw = decode(`1\r\na\r\n0\r\n${section}\r\n`, "raw", size);
    assert.ok(typeof raw === "object");
    assert.equal(raw.passed, `1\r\na\r\n0\r\n${kept}\r\n`);
    const content = decode(`1\r\na\r\n0\r\n${section}\r\n`, "content", size);
    assert.ok(typeof content === "object");
    assert.deepEqual([content.passed, content.trailers], ["a", kept]);
  }
});

test("a trailer section of forbidden fields alone leaves nothing", () => {
  for (let size = 1; size < 40; size++) {
    const raw = decode("0\r\nHost: x\r\n\r\n", "raw", size);
    assert.ok(typeof raw === "object");
    assert.equal(raw.passed, "0\r\n\r\n");
  }
});

const REFUSED: readonly (readonly [name: string, body: string])[] = [
  ["no size", "\r\n"],
  ["a size that is none", "g\r\n"],
  ["a signed size", "+5\r\nhello\r\n"],
  ["a size with a prefix", "0x5\r\nhello\r\n"],
  ["a bare LF behind a size", "5\nhello\r\n"],
  ["a bare CR behind a size", "5\rhello\r\n"],
  ["a line end in an extension", "5;a\nb\r\nhello\r\n"],
  ["a NUL in an extension", "5;a\0\r\nhello\r\n"],
  ["data that is longer than its size", "5\r\nhello!\r\n"],
  ["a bare LF behind data", "5\r\nhello\n0\r\n\r\n"],
  ["a size beyond 2^52", "10000000000000\r\n"],
  ["seventeen digits", "00000000000000005\r\nhello\r\n"],
  ["more than 16 KiB of extensions", `5;${"a".repeat(17_000)}\r\n`],
  ["more than 16 KiB of trailers", `0\r\nA: ${"b".repeat(17_000)}\r\n\r\n`],
  ["a blank before a trailer's colon", "0\r\nA : b\r\n\r\n"],
  ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n"],
  ["a bare LF at the end", "0\r\n\n"],
];

for (const [name, body] of REFUSED) {
  test(`${name} is refused, whatever the pieces`, () => {
    for (const size of [1, 2, 3, 7, body.length]) {
      assert.equal(decode(body, "raw", size), "refused");
      assert.equal(decode(body, "content", size), "refused");
    }
  });
}

test("a decoder is used again", () => {
  const decoder = new ChunkedDecoder();
  for (const trailer of ["X-A: 1\r\n", ""]) {
    decoder.start("content");
    const bytes = Buffer.from(`1\r\na\r\n0\r\n${trailer}\r\n`);
    decoder.feed(bytes, 0, bytes.length);
    assert.deepEqual([decoder.done, decoder.trailers, decoder.content], [true, trailer, 1]);
  }
});
