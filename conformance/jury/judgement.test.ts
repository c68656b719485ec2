import assert from "node:assert/strict";
import { test } from "node:test";
import { disagreements } from "./judgement.ts";
import type { Judgement, Report } from "./judgement.ts";

test("a judge that sees one more request is a disagreement", () => {
  const request: Judgement = { method: "GET", target: "/", host: "h", fields: [], trailers: [], length: 0, sha256: "" };
  const one: Report = { judge: "a", requests: [request], statuses: [200] };
  const two: Report = { judge: "b", requests: [request, request], statuses: [200, 200] };
  assert.equal(disagreements([one, two], () => undefined).length, 1);
  assert.equal(disagreements([one, { ...one, judge: "b" }], () => undefined).length, 0);
  assert.equal(disagreements([one, two], (judge) => (judge === "b" ? "excused" : undefined)).length, 0);
});
