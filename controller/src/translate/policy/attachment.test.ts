/** Which policy has a target, and whose fields count where several meet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttachedPolicy, findHolder, indexPolicies, mergeLayers, type TargetRef } from "./attachment.ts";

const service: TargetRef = { group: "", kind: "Service", name: "web" };

function toPolicy(name: string, age: string, ...targetRefs: readonly TargetRef[]): AttachedPolicy {
  return { kind: "BackendTrafficPolicy", namespace: "shop", name, age, object: { spec: { targetRefs } } };
}

test("the older has a target, then the first by name; the other is known as well", () => {
  const young = toPolicy("a", "2026-02-01T00:00:00Z", service);
  const old = toPolicy("b", "2026-01-01T00:00:00Z", service);
  const twin = toPolicy("c", "2026-01-01T00:00:00Z", service, service);
  const index = indexPolicies([young, old, twin]);
  assert.equal(findHolder(index, "shop", service), old);
  assert.deepEqual([...index.values()], [[old, twin, young]]);
});

test("a section, another namespace and another group are other targets; an empty section name is none", () => {
  const whole = toPolicy("whole", "1", { ...service, sectionName: "" });
  const port = toPolicy("port", "2", { ...service, sectionName: "http" });
  const index = indexPolicies([whole, port]);
  assert.equal(findHolder(index, "shop", service), whole);
  assert.equal(findHolder(index, "shop", { ...service, sectionName: "http" }), port);
  assert.equal(findHolder(index, "shop", { ...service, sectionName: "grpc" }), undefined);
  assert.equal(findHolder(index, "other", service), undefined);
  assert.equal(findHolder(index, "shop", { ...service, group: "x" }), undefined);
});

test("a field is of the first layer that says it, and everybody learns whose it is", () => {
  const rule = { owner: "rule", fields: { timeout: 1, retry: undefined } };
  const route = { owner: "route", fields: { timeout: 2, retry: "often" } };
  const { fields, fates } = mergeLayers<{ timeout: number; retry: string | undefined }>([rule, route]);
  assert.deepEqual(fields, { timeout: 1, retry: "often" });
  assert.deepEqual(fates, [
    { owner: "rule", field: "timeout", by: "rule" },
    { owner: "route", field: "timeout", by: "rule" },
    { owner: "route", field: "retry", by: "route" },
  ]);
});
