// What is taken and refused of our policies in files. conformance/controller/policies.test.ts holds a real API server to the same list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PolicyCase, readPolicyCases } from "@sallyport/testkit/policy-cases";
import { decodeObject } from "../src/kube/decode.ts";
import type { FieldIssue } from "../src/kube/field-issue.ts";
import { formatFieldPath } from "../src/kube/field-path.ts";

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

function assertRefused({ field, says = "" }: NonNullable<PolicyCase["refused"]>, issues: readonly FieldIssue[]): void {
  const [issue, ...others] = issues;
  assert.deepEqual(others, [], "one thing is wrong");
  assert.equal(issue?.severity, "error");
  assert.equal(formatFieldPath(issue?.path ?? []), field);
  assert.ok(issue?.message.includes(says), issue?.message);
}
