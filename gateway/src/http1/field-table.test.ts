import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD_RULES } from "../head/field-rules.ts";
import { FieldTable, PASS, ROLE } from "./field-table.ts";

const request = new FieldTable("request");
const response = new FieldTable("response");
const roleOf = (table: FieldTable, name: string): number => table.roleOf(Buffer.from(` ${name}:`), 1, name.length);

test("every rule is found, in any case, on its side", () => {
  for (const { name, role, in: side } of FIELD_RULES)
    for (const spelling of [name, name.toUpperCase()]) {
      if (side !== "response") assert.equal(roleOf(request, spelling), ROLE[role], spelling);
      if (side !== "request") assert.equal(roleOf(response, spelling), ROLE[role], spelling);
    }
});

test("neighbours of known names pass", () => {
  for (const { name } of FIELD_RULES.filter((rule) => rule.role !== "untrusted"))
    for (const other of [`${name}s`, `q${name}`, name.slice(1), name.replace(/.$/, "q")])
      if (!/^x-(?:forwarded|envoy)-./.test(other) && !FIELD_RULES.some((rule) => rule.name === other))
        assert.equal(roleOf(request, other), PASS, other);
});

test("prefixes mean every name that begins with them, of clients alone", () => {
  for (const name of ["x-forwarded-user", "X-Envoy-Anything", "x-forwarded-client-certs"])
    assert.equal(roleOf(request, name), ROLE.untrusted, name);
  assert.equal(roleOf(request, "x-forwarded-"), PASS);
  assert.equal(roleOf(response, "x-envoy-upstream-service-time"), PASS);
});
