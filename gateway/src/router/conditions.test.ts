/** Conditions: method, headers and query parameters, all of which must hold. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { toInput, toMatch } from "../../test/router/inputs.ts";
import { compileConditions } from "./conditions.ts";

const ROOT = { kind: "prefix", value: "/" } as const;

test("a match of the path alone has no conditions", () => {
  assert.equal(compileConditions(toMatch(ROOT)), undefined);
});

test("the method is compared as it is", () => {
  const accepts = compileConditions(toMatch(ROOT, { method: "POST" }));
  assert.ok(accepts?.(toInput({ method: "POST" })));
  assert.ok(!accepts?.(toInput({ method: "post" })));
});

test("a header must be there, with that value", () => {
  const accepts = compileConditions(toMatch(ROOT, { headers: [{ name: "version", kind: "exact", value: "one" }] }));
  assert.ok(accepts?.(toInput({ headers: { version: "one" } })));
  assert.ok(!accepts?.(toInput({ headers: { version: "One" } })));
  assert.ok(!accepts?.(toInput()));
});

test("a pattern must match the whole value", () => {
  const accepts = compileConditions(toMatch(ROOT, { headers: [{ name: "color", kind: "regex", value: "gr[ae]y" }] }));
  assert.ok(accepts?.(toInput({ headers: { color: "grey" } })));
  assert.ok(!accepts?.(toInput({ headers: { color: "greyish" } })));
});

test("an exact empty value is not the same as no header", () => {
  const accepts = compileConditions(toMatch(ROOT, { headers: [{ name: "x", kind: "exact", value: "" }] }));
  assert.ok(accepts?.(toInput({ headers: { x: "" } })));
  assert.ok(!accepts?.(toInput()));
});

test("all conditions must hold", () => {
  const accepts = compileConditions(
    toMatch(ROOT, {
      method: "GET",
      headers: [{ name: "a", kind: "exact", value: "1" }],
      query: [{ name: "b", kind: "regex", value: "[0-9]+" }],
    }),
  );
  assert.ok(accepts?.(toInput({ path: "/?b=22", headers: { a: "1" } })));
  assert.ok(!accepts?.(toInput({ path: "/?b=x", headers: { a: "1" } })));
  assert.ok(!accepts?.(toInput({ path: "/?b=22", headers: { a: "2" } })));
  assert.ok(!accepts?.(toInput({ path: "/?b=22", headers: { a: "1" }, method: "PUT" })));
});
