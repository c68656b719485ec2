/** Overrides: which one counts, and what it changes. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { ResponseOverridePolicy } from "@sallyport/model/policy";
import { TestCapabilities, TestResponse, toRequest } from "../test/views.ts";
import { compilePage } from "./page.ts";
import { compileResponseOverride } from "./response-override.ts";

const POLICY: ResponseOverridePolicy = {
  kind: "response-override",
  overrides: [
    { statuses: [{ from: 503, to: 503 }], source: "local", headers: [{ name: "x-first", value: "ü" }] },
    {
      statuses: [
        { from: 404, to: 404 },
        { from: 500, to: 599 },
      ],
      source: "any",
      status: 200,
      headers: [],
      page: "a/0",
    },
    { statuses: [{ from: 404, to: 410 }], source: "upstream", status: 403, headers: [] },
  ],
};

function respond(status: number, source: "upstream" | "local"): TestResponse {
  const answer = Object.assign(new TestResponse(), { status, source });
  const capabilities = new TestCapabilities();
  capabilities.pages.set("a/0", compilePage({ contentType: "text/plain", text: "%STATUS%" }));
  compileResponseOverride(POLICY, capabilities).onResponse?.(answer, toRequest({}));
  return answer;
}

test("the first override that fits counts, by status and source", () => {
  assert.deepEqual(
    [respond(503, "local").replacement, respond(503, "local").header("x-first")],
    [undefined, "\u00c3\u00bc"],
  );
  assert.equal(respond(503, "upstream").status, 200);
  assert.equal(respond(404, "local").status, 200);
  assert.equal(respond(405, "upstream").status, 403);
  assert.equal(respond(405, "local").status, 405);
  for (const status of [200, 403, 411, 499, 600]) assert.equal(respond(status, "upstream").replacement, undefined);
});

test("the page tells the status that is sent", () => {
  assert.equal(respond(500, "upstream").replacement?.body?.text, "200");
});

test("an interim head is none, and calls of gRPC are of no concern", () => {
  const all: ResponseOverridePolicy = {
    kind: "response-override",
    overrides: [{ statuses: [{ from: 100, to: 599 }], source: "any", status: 500, headers: [] }],
  };
  const filter = compileResponseOverride(all, new TestCapabilities());
  const switched = Object.assign(new TestResponse(), { status: 101 });
  filter.onResponse?.(switched, toRequest({}));
  assert.equal(switched.replacement, undefined);
  assert.deepEqual([filter.concerns?.(toRequest({})), filter.concerns?.(toRequest({ isGrpc: true }))], [true, false]);
});
