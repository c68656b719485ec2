import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { intersectHostnames } from "./hostname.ts";

const pairs: readonly (readonly [left: string, right: string, shared: string | undefined])[] = [
  ["*", "*", "*"],
  ["*", "example.com", "example.com"],
  ["*", "*.example.com", "*.example.com"],
  ["example.com", "example.com", "example.com"],
  ["example.com", "example.org", undefined],
  ["*.example.com", "www.example.com", "www.example.com"],
  ["*.example.com", "a.b.example.com", "a.b.example.com"],
  ["*.example.com", "*.b.example.com", "*.b.example.com"],
  ["*.example.com", "example.com", undefined],
  ["*.example.com", "badexample.com", undefined],
  ["*.example.com", "*.badexample.com", undefined],
  ["*.example.com", "*.example.com", "*.example.com"],
  ["*.com", "*.example.com", "*.example.com"],
];

for (const [left, right, shared] of pairs) {
  test(`${left} and ${right} share ${shared ?? "nothing"}, in either order`, () => {
    assert.equal(intersectHostnames(left, right), shared);
    assert.equal(intersectHostnames(right, left), shared);
  });
}

const label = fc.constantFrom("a", "b", "c");
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const pattern = fc.oneof(
  host,
  host.map((name) => `*.${name}`),
  fc.constant("*"),
);

function matches(wanted: string, name: string): boolean {
  if (wanted === "*") return true;
  return wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1 : wanted === name;
}

test("a host is in the intersection exactly when it is in both patterns", () => {
  fc.assert(
    fc.property(pattern, pattern, host, (left, right, name) => {
      const shared = intersectHostnames(left, right);
      assert.equal(shared !== undefined && matches(shared, name), matches(left, name) && matches(right, name));
    }),
  );
});
