// What is taken and refused of our policies in files. conformance/controller/policies.test.ts holds a real API server to the same list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PolicyCase, readPolicyCases } from "@sallyport/testkit/policy-cases";
import { decodeObject } from "../src/kube/decode.ts";
import type { FieldIssue } from "../src/kube/field-issue.ts";
import { formatFieldPath } from "../src/kube/field-path.ts";
import { loadWorld } from "./load-world.ts";

for (const each of readPolicyCases()) {
  test(`${each.kind}: ${each.title}${each.refused === undefined ? "" : " is refused"}`, async () => {
    const raw = { metadata: { name: "policy" }, spec: structuredClone(each.spec) };
    const { object, issues } = await decodeObject(each.kind, raw, "strict");
    if (each.refused !== undefined) {
      assertRefused(each.refused, issues);
      return;
    }
    assert.deepEqual(issues, []);
    const spec: Readonly<Record<string, unknown>> = { ...object?.spec };
    for (const [name, value] of Object.entries(each.becomes ?? {})) assert.deepEqual(spec[name], value, name);
    assert.deepEqual(Object.keys(spec).toSorted(), Object.keys(each.spec).toSorted(), "fields appear by themselves");
  });
}

test("in a file it is said where something is wrong, and what to do", async () => {
  const policy = `apiVersion: policy.sallyport.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: web }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: web }]
  timeouts: { idle: 1m }
  tls: { minVersion: 1.2 }
  headers:
    maxBytes: 16KB
`;
  const { world, problems } = await loadWorld({ "policy.yaml": policy });
  assert.equal(world.list("ClientTrafficPolicy").length, 0);
  const said = problems.map(({ source, message, hint }) => `${source?.line}:${source?.column} ${message}; ${hint}`);
  assert.deepEqual(said.toSorted(), [
    '6:3 unknown field "timeouts"; did you mean "timeout"?',
    '7:22 must be a string, not a number; put it in quotes: "1.2"',
    '9:15 "16KB" is not a size such as 65536, 64Ki or 1.5M; undefined',
  ]);
});

function assertRefused({ field, says = "" }: NonNullable<PolicyCase["refused"]>, issues: readonly FieldIssue[]): void {
  const [issue, ...others] = issues;
  assert.deepEqual(others, [], "one thing is wrong");
  assert.equal(issue?.severity, "error");
  assert.equal(formatFieldPath(issue?.path ?? []), field);
  assert.ok(issue?.message.includes(says), issue?.message);
  assert.doesNotMatch(issue?.message ?? "", /does not match/, "patterns are told in words");
}
