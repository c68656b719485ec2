import assert from "node:assert/strict";
import { test } from "node:test";
import type { HTTPRouteFilter, HTTPRouteMatch } from "../../kube/generated/types/http-route.ts";
import { indexWorld } from "../../world/indexed-world.ts";
import { findTrafficPolicies } from "../traffic/policies.ts";
import { FULL_TRUST } from "../service-trust.ts";
import { TrafficScope } from "../traffic/scope.ts";
import { translateRule } from "./rules.ts";

const world = indexWorld([]);
const context = {
  world,
  name: "shop",
  scope: new TrafficScope(findTrafficPolicies(world)),
  layers: { above: [], below: [] },
  traffic: "http" as const,
  trust: FULL_TRUST,
  route: { group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop", hostnames: [] },
};

const prefix: HTTPRouteMatch = { path: { type: "PathPrefix", value: "/a" } };
const exact: HTTPRouteMatch = { path: { type: "Exact", value: "/b" } };

/** A rule as an API server of a later version, or without the rules of ours, might send it. */
function translate(changes: object) {
  return translateRule(context, { matches: [prefix], ...changes }, 0);
}

function withFilters(...filters: readonly object[]) {
  return translate({ filters: filters as HTTPRouteFilter[] });
}

const blocked: readonly (readonly [what: string, changes: object, reason: string, path: string])[] = [
  [
    "a redirect beside a rewrite",
    {
      filters: [
        { type: "RequestRedirect", requestRedirect: { statusCode: 302 } },
        { type: "URLRewrite", urlRewrite: {} },
      ],
    },
    "IncompatibleFilters",
    "spec.rules[0].filters",
  ],
  [
    "a prefix to replace where a match has none",
    {
      matches: [prefix, exact],
      filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" } } }],
    },
    "UnsupportedValue",
    "spec.rules[0].filters[0].urlRewrite.path.type",
  ],
  [
    "a prefix to redirect where a match has none",
    {
      matches: [exact],
      filters: [
        {
          type: "RequestRedirect",
          requestRedirect: { statusCode: 302, path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" } },
        },
      ],
    },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestRedirect.path.type",
  ],
  [
    "a path modifier of the future",
    { filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceSuffix" } } }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].urlRewrite.path.type",
  ],
  [
    "a new path with a query in it",
    { filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/a?b" } } }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].urlRewrite.path.replaceFullPath",
  ],
  [
    "a new path with a line end in it",
    {
      filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/\r\nx:y" } } }],
    },
    "UnsupportedValue",
    "spec.rules[0].filters[0].urlRewrite.path.replaceFullPath",
  ],
  [
    "a redirect to a scheme of the future",
    { filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "gopher", statusCode: 302 } }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestRedirect.scheme",
  ],
  [
    "a redirect with a status of the future",
    { filters: [{ type: "RequestRedirect", requestRedirect: { statusCode: 310 } }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestRedirect.statusCode",
  ],
  ["a filter of the future", { filters: [{ type: "Teleport" }] }, "UnsupportedValue", "spec.rules[0].filters[0].type"],
  [
    "a filter named like a method of objects",
    { filters: [{ type: "toString" }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].type",
  ],
  [
    "a redirect without its field",
    { filters: [{ type: "RequestRedirect" }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestRedirect",
  ],
  [
    "a rewrite without its field",
    { filters: [{ type: "URLRewrite" }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].urlRewrite",
  ],
  [
    "a mirror without its field",
    { filters: [{ type: "RequestMirror" }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestMirror",
  ],
  [
    "a CORS filter without its field",
    { filters: [{ type: "CORS" }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].cors",
  ],
  [
    "a redirect to a host that is none",
    { filters: [{ type: "RequestRedirect", requestRedirect: { hostname: "a/b", statusCode: 302 } }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestRedirect.hostname",
  ],
  [
    "a header value with a line end in it",
    {
      filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "a", value: "b\r\nc: d" }] } }],
    },
    "UnsupportedValue",
    "spec.rules[0].filters[0].requestHeaderModifier.set[0].value",
  ],
  [
    "a header name that is none",
    { filters: [{ type: "ResponseHeaderModifier", responseHeaderModifier: { remove: ["a b"] } }] },
    "UnsupportedValue",
    "spec.rules[0].filters[0].responseHeaderModifier.remove[0]",
  ],
  [
    "an unsupported filter of a backend",
    {
      backendRefs: [
        { group: "", kind: "Service", name: "web", port: 80, weight: 1, filters: [{ type: "ExternalAuth" }] },
      ],
    },
    "UnsupportedValue",
    "spec.rules[0].backendRefs[0].filters[0].type",
  ],
  [
    "a backend timeout longer than that of the request",
    { timeouts: { request: "1s", backendRequest: "2s" } },
    "UnsupportedValue",
    "spec.rules[0].timeouts.backendRequest",
  ],
];

for (const [what, changes, reason, path] of blocked) {
  test(`${what} makes the rule answer 500 for its matches`, () => {
    const { rule, flaws } = translate(changes);
    assert.deepEqual([flaws[0]?.reason, flaws[0]?.path], [reason, path]);
    assert.deepEqual(rule?.backends, [{ kind: "invalid", reason, weight: 1 }]);
    assert.deepEqual(rule?.policies, []);
    assert.ok((rule?.matches.length ?? 0) > 0);
  });
}

const dropped: readonly (readonly [what: string, match: object, path: string])[] = [
  ["a method of the future", { ...prefix, method: "BREW" }, "method"],
  ["a path match of the future", { path: { type: "Glob", value: "/*" } }, "path.type"],
  [
    "a header match of the future",
    { ...prefix, headers: [{ type: "Range", name: "a", value: "1" }] },
    "headers[0].type",
  ],
  [
    "a query match of the future",
    { ...prefix, queryParams: [{ type: "Range", name: "a", value: "1" }] },
    "queryParams[0].type",
  ],
];

for (const [what, match, path] of dropped) {
  test(`${what} drops the rule: nobody knows which requests it means`, () => {
    const { rule, flaws } = translate({ matches: [prefix, match] });
    assert.equal(rule, undefined);
    assert.deepEqual(
      flaws.map((flaw) => [flaw.reason, flaw.path]),
      [["UnsupportedValue", `spec.rules[0].matches[1].${path}`]],
    );
  });
}

test("a reference to a Service without a port leads nowhere", () => {
  const { rule, unresolved } = translate({ backendRefs: [{ group: "", kind: "Service", name: "web", weight: 1 }] });
  assert.equal(unresolved[0]?.reason, "BackendNotFound");
  assert.deepEqual(rule?.backends, [{ kind: "invalid", reason: "BackendNotFound", weight: 1 }]);
});

test("of header actions of one kind and name the first counts, names compared without case", () => {
  const { rule, flaws } = withFilters({
    type: "RequestHeaderModifier",
    requestHeaderModifier: {
      set: [
        { name: "X-A", value: "1" },
        { name: "x-a", value: "2" },
      ],
      remove: ["X-B", "x-b"],
    },
  });
  assert.deepEqual(flaws, []);
  assert.deepEqual(rule?.policies, [
    { kind: "request-headers", set: [{ name: "X-A", value: "1" }], add: [], remove: ["X-B"] },
  ]);
});

for (const [value, expected] of [
  ["/", "/"],
  ["/a", "/a"],
  ["/a/", "/a"],
  ["/a/b//", "/a/b"],
  ["", "/"],
]) {
  test(`the prefix "${value}" covers the path elements of "${expected}"`, () => {
    const { rule } = translate({ matches: [{ path: { type: "PathPrefix", value } }] });
    assert.deepEqual(rule?.matches[0]?.path, { kind: "prefix", value: expected });
  });
}
