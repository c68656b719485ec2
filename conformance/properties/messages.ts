// Arbitrary valid requests, and what a backend must have seen of them.
import fc from "fast-check";
import { HOST } from "../protocol/case.ts";

/** A valid request as bytes (latin1), with what it means. */
export interface ValidRequest {
  readonly bytes: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Lower-case name and value of a field that must arrive. */
  readonly field: readonly [string, string];
}

const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE");
const segment = fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,;=:@-]{1,12}$/);
const query = fc.option(fc.stringMatching(/^[A-Za-z0-9\-._~!$&'()*+,;=:@/?]{0,16}$/), { nil: undefined });
const target = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), query)
  .map(([segments, text]) => `/${segments.join("/")}${text === undefined ? "" : `?${text}`}`);
const name = fc.stringMatching(/^X-P[A-Za-z0-9]{0,10}$/);
/** Visible characters and obs-text, with blanks inside only. */
const value = fc.stringMatching(/^[!-~\u0080-\u00ff]([\t -~\u0080-\u00ff]{0,30}[!-~\u0080-\u00ff])?$/);
const body = anyBytes(200);
const blanks = fc.constantFrom("", " ", "\t", "  ");

/** Any bytes at all, up to this many, as a latin1 string. */
export function anyBytes(most: number): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: most }).map((codes) => String.fromCharCode(...codes));
}

/** How a body is framed: no body, a length, or chunks cut at these sizes. */
const framing = fc.oneof(
  fc.constant({ kind: "none" } as const),
  fc.constant({ kind: "length" } as const),
  fc.record({
    kind: fc.constant("chunked" as const),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
    extension: fc.constantFrom("", ";a", ";a=b", ';a="b c"'),
    trailer: fc.constantFrom("", "X-Sum: 1\r\n"),
  }),
);

type Framing = typeof framing extends fc.Arbitrary<infer T> ? T : never;

/** Any valid request. */
export const validRequest: fc.Arbitrary<ValidRequest> = fc
  .record({ method, target, name, value, body, framing, blanks })
  .map((parts) => {
    const content = parts.framing.kind === "none" ? "" : parts.body;
    const lines = [
      `${parts.method} ${parts.target} HTTP/1.1`,
      `Host:${parts.blanks}${HOST}`,
      `${parts.name}:${parts.blanks}${parts.value}${parts.blanks}`,
      ...framingLines(parts.framing, content),
    ];
    return {
      bytes: `${lines.join("\r\n")}\r\n\r\n${encode(parts.framing, content)}`,
      method: parts.method,
      target: parts.target,
      body: content,
      field: [parts.name.toLowerCase(), parts.value] as const,
    };
  });

function framingLines(how: Framing, content: string): readonly string[] {
  if (how.kind === "none") return [];
  return [how.kind === "length" ? `Content-Length: ${content.length}` : "Transfer-Encoding: chunked"];
}

function encode(how: Framing, content: string): string {
  if (how.kind !== "chunked") return content;
  let coded = "";
  let rest = content;
  for (let turn = 0; rest !== ""; turn += 1) {
    const data = rest.slice(0, how.sizes[turn % how.sizes.length] ?? 1);
    rest = rest.slice(data.length);
    coded += `${data.length.toString(16)}${how.extension}\r\n${data}\r\n`;
  }
  return `${coded}0\r\n${how.trailer}\r\n`;
}

/** Cuts a string at up to eight places. */
export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 8 });

/** The pieces between the cuts (each a fraction of the length); none is empty. */
export function pieces(bytes: string, at: readonly number[]): readonly string[] {
  const places = [...new Set([0, ...at.map((fraction) => Math.floor(fraction * bytes.length)), bytes.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}
