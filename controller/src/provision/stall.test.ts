import assert from "node:assert/strict";
import { test } from "node:test";
import { findStall } from "./stall.ts";

const late = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: "timed out" };
const refused = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded\n quota" };

function stallOf(conditions: unknown, observedGeneration = 2): string | undefined {
  return findStall({ metadata: { generation: 2 }, status: { observedGeneration, conditions } });
}

test("who refuses pods is told before that none came", () => {
  assert.equal(stallOf([late, refused]), "FailedCreate: exceeded quota");
  assert.equal(stallOf([late]), "ProgressDeadlineExceeded: timed out");
});

test("pods that are on their way, or of another generation, do not stall", () => {
  assert.equal(
    stallOf([
      { ...late, status: "True" },
      { ...refused, status: "False" },
    ]),
    undefined,
  );
  assert.equal(stallOf([{ type: "Available", status: "False" }]), undefined);
  assert.equal(stallOf([late], 1), undefined);
});

test("anything may stand there, at any length", () => {
  for (const conditions of [undefined, null, "x", [null, 1, {}]]) assert.equal(stallOf(conditions), undefined);
  assert.equal(findStall({}), undefined);
  assert.ok((stallOf([{ ...refused, message: "x".repeat(9999) }]) ?? "").length < 600);
});
