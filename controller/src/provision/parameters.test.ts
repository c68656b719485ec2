import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeParameters, toSeconds } from "./parameters.ts";

test("fields of the Gateway win one by one", () => {
  const ofClass = { deployment: { workers: 2, image: "a" }, service: { type: "NodePort" } } as const;
  assert.deepEqual(mergeParameters(ofClass, { deployment: { image: "b" } }), {
    deployment: { workers: 2, image: "b" },
    service: { type: "NodePort" },
  });
  assert.deepEqual(mergeParameters(undefined, undefined), { deployment: {} });
});

test("a budget is one field, for its two exclude each other", () => {
  const merged = mergeParameters(
    { disruptionBudget: { minAvailable: 1 } },
    { disruptionBudget: { maxUnavailable: 1 } },
  );
  assert.deepEqual(merged.disruptionBudget, { maxUnavailable: 1 });
});

test("replicas of the Gateway end the autoscaling of its class, and autoscaling the replicas of its class", () => {
  const scaled = { autoscaling: { maxReplicas: 5 } };
  assert.deepEqual(mergeParameters(scaled, { deployment: { replicas: 3 } }), { deployment: { replicas: 3 } });
  assert.deepEqual(mergeParameters({ deployment: { replicas: 3 } }, scaled), { deployment: {}, ...scaled });
});

test("durations become whole seconds", () => {
  const durations = { "5s": 5, "1500ms": 2, "1h2m3s": 3723, "0s": 0, "1ms": 1 };
  for (const [text, seconds] of Object.entries(durations)) assert.equal(toSeconds(text), seconds, text);
});
