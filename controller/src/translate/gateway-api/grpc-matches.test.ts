import assert from "node:assert/strict";
import { test } from "node:test";
import type { GRPCRouteMatch } from "../../kube/generated/types/grpc-route.ts";
import { translateGrpcMatches } from "./grpc-matches.ts";

/** Matches as an API server of a later version might send them. */
function translate(...matches: readonly object[]) {
  const rule: readonly GRPCRouteMatch[] = matches;
  return translateGrpcMatches(rule, "spec.rules[0]");
}

const paths: readonly (readonly [what: string, method: object, path: object])[] = [
  ["a method of a service", { type: "Exact", service: "a.B", method: "C" }, { kind: "exact", value: "/a.B/C" }],
  ["a service", { type: "Exact", service: "a.B" }, { kind: "prefix", value: "/a.B" }],
  ["a service and an empty method", { type: "Exact", service: "a.B", method: "" }, { kind: "prefix", value: "/a.B" }],
  ["a method of any service", { type: "Exact", method: "C" }, { kind: "regex", value: "/[^/]+/C" }],
  ["nothing of a service or a method", { type: "Exact" }, { kind: "prefix", value: "/" }],
  [
    "expressions, each of them whole",
    { type: "RegularExpression", service: "a|b", method: "C.*" },
    { kind: "regex", value: "/(?:a|b)/(?:C.*)" },
  ],
  [
    "an expression for the method",
    { type: "RegularExpression", method: "C" },
    { kind: "regex", value: "/[^/]+/(?:C)" },
  ],
];

for (const [what, method, path] of paths) {
  test(`a match by ${what} is one of the path`, () => {
    assert.deepEqual(translate({ method }), { matches: [{ path, headers: [], query: [] }], flaws: [] });
  });
}

const flaws: readonly (readonly [what: string, method: object, path: string])[] = [
  ["a service that is no expression", { type: "RegularExpression", service: "(" }, "method.service"],
  ["a method that is no expression", { type: "RegularExpression", service: "a", method: "[" }, "method.method"],
  ["a quotation left open", { type: "RegularExpression", service: "\\Qa", method: "b" }, "method.service"],
  ["a group that ends in the other", { type: "RegularExpression", service: "a)", method: "(b" }, "method.service"],
  [
    "two expressions that name a group alike",
    { type: "RegularExpression", service: "(?P<x>a)", method: "(?P<x>b)" },
    "method",
  ],
  ["a type of the future", { type: "Glob", service: "a*" }, "method.type"],
];

for (const [what, method, path] of flaws) {
  test(`a match by ${what} is refused at its place`, () => {
    const [flaw] = translate({ headers: [] }, { method }).flaws;
    assert.deepEqual([flaw?.reason, flaw?.path], ["UnsupportedValue", `spec.rules[0].matches[1].${path}`]);
  });
}

test("a rule without matches takes every call", () => {
  assert.deepEqual(translate().matches, [{ path: { kind: "prefix", value: "/" }, headers: [], query: [] }]);
});
