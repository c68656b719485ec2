/** The registry: every kind compiles to a filter that takes part in a phase. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Policy } from "@sallyport/model/policy";
import { TestCapabilities, toRequest } from "../test/views.ts";
import { compilePolicy, POLICIES } from "./registry.ts";

const share = { numerator: 1, denominator: 1 };
const edits = { set: [], add: [], remove: [] };
const SAMPLES: readonly Policy[] = [
  { kind: "request-headers", ...edits },
  { kind: "response-headers", ...edits },
  {
    kind: "cors",
    allowOrigins: ["*"],
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: [],
    allowCredentials: false,
    maxAgeSeconds: 5,
  },
  { kind: "redirect", status: 302 },
  { kind: "rewrite", hostname: "a.example" },
  { kind: "mirror", cluster: "ns/a:80", share },
  { kind: "compression", codings: [{ name: "gzip" }], minimumLength: 0, contentTypes: ["text/html"] },
  { kind: "response-override", overrides: [] },
  { kind: "request-body", maxBytes: 1, whole: false },
  { kind: "fault", abort: { share, status: 500 } },
];

test("there is a sample of every kind", () => {
  assert.deepEqual(SAMPLES.map((sample) => sample.kind).sort(), Object.keys(POLICIES).sort());
});

for (const sample of SAMPLES) {
  test(`${sample.kind} compiles to a filter with a phase`, () => {
    const filter = compilePolicy(sample, new TestCapabilities());
    assert.ok(filter.onRequest !== undefined || filter.onResponse !== undefined);
    assert.doesNotThrow(() => filter.onRequest?.(toRequest({})));
  });
}
