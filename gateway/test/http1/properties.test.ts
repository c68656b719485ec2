/**
 * Properties of both roles without a network: the pieces in which bytes arrive change nothing, and no bytes at all make a
 * codec throw, hang or write what is no HTTP.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StrictReader } from "@sallyport/testkit/strict-http";
import fc from "fast-check";
import { AnswerReader } from "../../src/http1/client-answer.ts";
import { AnswerInput } from "../../src/http1/client-input.ts";
import { Inlet } from "../../src/wire/inlet.ts";
import { serve } from "./stub-server.ts";

/** Cuts a text at these (relative) places. */
function split(text: string, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => Math.floor(cut * text.length)))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const to of [...places, text.length]) {
    if (to > from) pieces.push(Buffer.from(text.slice(from, to), "latin1"));
    from = Math.max(from, to);
  }
  return pieces;
}

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
const value = fc.stringMatching(/^[!-~\x80-\xff]{0,20}$/);
const latin1 = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const content = latin1(0, 60);
const chunks = fc.array(latin1(1, 30), { maxLength: 4 });
const extension = fc.constantFrom("", ";a", " ; b=c", ';q="x"');
const requests = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "HEAD"),
  path: fc.stringMatching(/^\/[a-z]{0,8}(\?[a-z=&%]{0,8})?$/),
  fields: fc.array(
    fc.tuple(
      fc.string({ minLength: 1, maxLength: 1 }).chain(() => token),
      value,
    ),
    { maxLength: 4 },
  ),
  body: fc.oneof(
    fc.constant({ kind: "none" as const }),
    content.map((text) => ({ kind: "length" as const, text })),
    fc
      .tuple(chunks, extension, fc.boolean())
      .map(([parts, ext, trailer]) => ({ kind: "chunked" as const, parts, ext, trailer })),
  ),
});
type Request = typeof requests extends fc.Arbitrary<infer T> ? T : never;

function toText({ method, path, fields, body }: Request): string {
  const lines = fields.map(([name, text]) => `X-${name}: ${text}\r\n`).join("");
  const head = `${method} ${path} HTTP/1.1\r\nHost: example.com\r\n${lines}`;
  if (body.kind === "none") return `${head}\r\n`;
  if (body.kind === "length") return `${head}Content-Length: ${body.text.length}\r\n\r\n${body.text}`;
  const coded = body.parts.map((part) => `${part.length.toString(16)}${body.ext}\r\n${part}\r\n`).join("");
  return `${head}Transfer-Encoding: chunked\r\n\r\n${coded}0${body.ext}\r\n${body.trailer ? "X-T: 1\r\nHost: no\r\n" : ""}\r\n`;
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

test("any split of valid requests gives the same exchanges", () => {
  fc.assert(
    fc.property(fc.array(requests, { minLength: 1, maxLength: 4 }), cuts, (sequence, places) => {
      const text = sequence.map(toText).join("");
      const whole = serve([Buffer.from(text, "latin1")]);
      const pieces = serve(split(text, places));
      assert.deepEqual(pieces.seen, whole.seen);
      assert.equal(pieces.written, whole.written);
      assert.equal(whole.seen.length, sequence.length);
      assert.deepEqual([...whole.bugs, ...pieces.bugs], []);
      assert.equal(whole.end, "ended");
    }),
    { numRuns: 150 },
  );
});

test("requests that come byte by byte give the same exchanges", () => {
  fc.assert(
    fc.property(requests, (request) => {
      const text = toText(request);
      const bytes = serve(Array.from(text, (character) => Buffer.from(character, "latin1")));
      assert.deepEqual(bytes.seen, serve([Buffer.from(text, "latin1")]).seen);
    }),
    { numRuns: 40 },
  );
});

/** Bytes that come close to HTTP. */
const noise = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "GET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\n",
        "Host: x\r\n",
        "\r\n",
        "\r",
        "\n",
        "0\r\n\r\n",
        "5\r\n",
      ),
      fc.constantFrom(
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "hello",
        ": ",
      ),
      fc.constantFrom(
        "Expect: 100-continue\r\n",
        "Upgrade: a\r\nConnection: upgrade\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 ",
      ),
      fc.constantFrom(
        "HTTP/1.1 100 C\r\n\r\n",
        "HTTP/1.1 204 N\r\n",
        "%",
        "/../",
        "ffffffffffff\r\n",
        "Trailer: a\r\n",
        "TE: trailers\r\n",
      ),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

test("no bytes make a server throw, hang or write what is no HTTP", () => {
  fc.assert(
    fc.property(noise, cuts, (text, places) => {
      const { written, bugs, end } = serve(split(text, places));
      assert.deepEqual(bugs, []);
      assert.notEqual(end, "open");
      const reader = new StrictReader({ role: "response", bodyless: () => /^HEAD /m.test(text) });
      reader.push(Buffer.from(written, "latin1"));
      assert.equal(reader.problem, undefined);
    }),
    { numRuns: 600 },
  );
});

/** What a receiver was told of one answer. */
function readAnswer(pieces: readonly Buffer[], mode: "raw" | "content"): string {
  const inlet = new Inlet();
  let log = "";
  const input: AnswerInput = new AnswerInput(
    {
      onAnswerDone: (trailers, clean) => {
        log += `|done ${trailers} ${clean}`;
        input.receiver = undefined;
      },
      onAnswerRefused: () => {
        log += "|refused";
        input.receiver = undefined;
      },
    },
    inlet,
    new AnswerReader(),
  );
  input.receiver = {
    onInterim: (head) => void (log += `|${head.toHttp1()}`),
    onAnswerHead: (head, framing) => {
      log += `|${framing} ${head.toHttp1()}|`;
      return mode === "raw" && input.offersRaw ? "raw" : "content";
    },
    onAnswerBody: (bytes, from, to) => {
      log += bytes.toString("latin1", from, to);
      return "taken";
    },
    onAnswerEnd: () => undefined,
    onAnswerTurn: () => "taken",
    onUpstreamDrain: () => undefined,
    onAnswerFailed: () => undefined,
  };
  input.expect({ method: "GET", upgrade: "a" });
  for (const piece of pieces)
    if (input.receiver !== undefined) input.read(Buffer.from(piece), 0, piece.length, undefined);
  return log;
}

const answers = fc.tuple(
  fc.constantFrom("", "HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"),
  fc.oneof(
    content.map((text) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
    fc.tuple(chunks, extension, fc.boolean()).map(([parts, ext, trailer]) => {
      const coded = parts.map((part) => `${part.length.toString(16)}${ext}\r\n${part}\r\n`).join("");
      return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${coded}0\r\n${trailer ? "X-T: 1\r\nVary: no\r\n" : ""}\r\n`;
    }),
    fc.constantFrom("HTTP/1.1 204 N\r\n\r\n", "HTTP/1.0 304 N\r\nContent-Length: 5\r\n\r\n"),
  ),
);

test("any split of a valid answer gives the same answer, raw and decoded", () => {
  fc.assert(
    fc.property(
      answers,
      cuts,
      fc.constantFrom("raw" as const, "content" as const),
      ([interim, final], places, mode) => {
        const text = interim + final;
        const whole = readAnswer([Buffer.from(text, "latin1")], mode);
        assert.equal(readAnswer(split(text, places), mode), whole);
        assert.match(whole, /\|done [^]* (?:true|false)$/);
      },
    ),
    { numRuns: 200 },
  );
});

test("no bytes make a client throw", () => {
  fc.assert(
    fc.property(noise, cuts, (text, places) => {
      readAnswer(split(`HTTP/1.1 ${text}`, places), "raw");
      readAnswer(split(text, places), "content");
    }),
    { numRuns: 400 },
  );
});
