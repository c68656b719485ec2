/** Which answers are compressed, and what caches are told of those that are not. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { CompressionPolicy } from "@sallyport/model/policy";
import { TestResponse, toRequest } from "../test/views.ts";
import { compileCompression } from "./compression.ts";
import type { ContentCoding } from "./filter.ts";

const POLICY: CompressionPolicy = {
  kind: "compression",
  codings: [{ name: "gzip" }, { name: "br", level: 11 }],
  minimumLength: 860,
  contentTypes: ["text/*", "application/json"],
};
const TEXT = { "content-type": "Text/HTML; charset=utf-8" };

interface Case {
  readonly response?: Readonly<Record<string, string>>;
  readonly properties?: Partial<Pick<TestResponse, "status" | "bodyLength">>;
  readonly request?: Readonly<Record<string, string>>;
  readonly policy?: Partial<CompressionPolicy>;
}

function respond({
  response = TEXT,
  properties = {},
  request = { "accept-encoding": "gzip" },
  policy,
}: Case): TestResponse {
  const answer = Object.assign(new TestResponse(response), properties);
  compileCompression({ ...POLICY, ...policy }).onResponse?.(answer, toRequest({}, request));
  return answer;
}

test("the first of the list that the client likes best is asked for, with a level that a coder can have", () => {
  const chosen = (accept: string): ContentCoding | undefined =>
    respond({ request: { "accept-encoding": accept } }).coding;
  assert.deepEqual(chosen("gzip, br"), { name: "gzip", level: 4 });
  assert.deepEqual(chosen("br"), { name: "br", level: 6 });
  assert.equal(chosen("deflate"), undefined);
  assert.equal(respond({ request: {} }).coding, undefined);
});

const CASES: readonly (readonly [what: string, given: Case, coded: boolean, vary: boolean])[] = [
  ["a listed type", {}, true, true],
  ["a listed type for a client that takes none", { request: {} }, false, true],
  ["a type by its full name", { response: { "content-type": "application/json" } }, true, true],
  ["another type", { response: { "content-type": "image/png" } }, false, false],
  ["a type that only begins so", { response: { "content-type": "textual/html" } }, false, false],
  ["no type", { response: {} }, false, false],
  [
    "gRPC-Web, whatever is listed",
    { response: { "content-type": "application/grpc-web" }, policy: { contentTypes: ["*/*"] } },
    false,
    false,
  ],
  ["any type", { response: { "content-type": "image/png" }, policy: { contentTypes: ["*/*"] } }, true, true],
  ["a short body", { properties: { bodyLength: 859 } }, false, false],
  ["one that is just long enough", { properties: { bodyLength: 860 } }, true, true],
  ["an error", { properties: { status: 500 } }, true, true],
  ["a switch of protocols", { properties: { status: 101 } }, false, false],
  ["no content", { properties: { status: 204 } }, false, false],
  ["a part", { properties: { status: 206 } }, false, false],
  ["a part by its range", { response: { ...TEXT, "content-range": "bytes 0-1/2" } }, false, false],
  ["a body that has a coding", { response: { ...TEXT, "content-encoding": "identity" } }, false, false],
  ["an answer that forbids it", { response: { ...TEXT, "cache-control": "private,No-Transform" } }, false, false],
  ["an answer that only seems to", { response: { ...TEXT, "cache-control": "x-no-transform" } }, true, true],
  [
    "a request that forbids it",
    { request: { "accept-encoding": "gzip", "cache-control": "no-transform" } },
    false,
    false,
  ],
];
for (const [what, given, coded, vary] of CASES) {
  test(`${what}: ${coded ? "is compressed" : "stays as it is"}${vary ? ", and caches are told" : ""}`, () => {
    const answer = respond(given);
    assert.equal(answer.coding !== undefined, coded);
    assert.equal(answer.header("vary"), vary ? "Accept-Encoding" : undefined);
  });
}

test("Vary is joined, and not said twice", () => {
  const vary = (value: string): string | undefined => respond({ response: { ...TEXT, vary: value } }).header("vary");
  assert.deepEqual(
    [vary("Origin"), vary("origin, accept-encoding"), vary("*")],
    ["Origin,Accept-Encoding", "origin, accept-encoding", "*"],
  );
});

test("304 gets a weak validator where the 200 would have been compressed", () => {
  const tag = (etag: string, accept: string): string | undefined =>
    respond({ response: { etag }, properties: { status: 304 }, request: { "accept-encoding": accept } }).header("etag");
  assert.deepEqual([tag('"a"', "gzip"), tag('"a"', ""), tag('W/"a"', "gzip")], ['W/"a"', '"a"', 'W/"a"']);
});

test("calls of gRPC and tunnels are of no concern", () => {
  const filter = compileCompression(POLICY);
  assert.deepEqual(
    [
      filter.concerns?.(toRequest({})),
      filter.concerns?.(toRequest({ isGrpc: true })),
      filter.concerns?.(toRequest({ method: "CONNECT" })),
    ],
    [true, false, false],
  );
});
