import assert from "node:assert/strict";
import { test } from "node:test";
import { identifyObject } from "./identify.ts";

const gatewayApi = "gateway.networking.k8s.io";

test("all served versions of a kind are the kind", () => {
  for (const [apiVersion, kind] of [
    [`${gatewayApi}/v1`, "HTTPRoute"],
    [`${gatewayApi}/v1beta1`, "HTTPRoute"],
    [`${gatewayApi}/v1beta1`, "Gateway"],
    [`${gatewayApi}/v1`, "ReferenceGrant"],
    [`${gatewayApi}/v1beta1`, "ReferenceGrant"],
    ["v1", "Service"],
    ["discovery.k8s.io/v1", "EndpointSlice"],
  ]) {
    const identity = identifyObject({ apiVersion, kind });
    assert.equal(identity.is, "object", `${apiVersion} ${kind}`);
  }
});

test("a version that is not served is an error that names those that are", () => {
  const identity = identifyObject({ apiVersion: `${gatewayApi}/v1alpha2`, kind: "HTTPRoute" });
  assert.ok(identity.is === "broken");
  assert.equal(identity.issue.code, "unsupported-kind");
  assert.match(identity.issue.hint ?? "", /gateway.networking.k8s.io\/v1 or gateway.networking.k8s.io\/v1beta1/);
});

test("a slip in the group is an error, another group's kind of the same name is not ours", () => {
  assert.equal(identifyObject({ apiVersion: "gateway.networkin.k8s.io/v1", kind: "Gateway" }).is, "broken");
  assert.equal(identifyObject({ apiVersion: "networking.istio.io/v1", kind: "Gateway" }).is, "other");
  assert.equal(identifyObject({ apiVersion: "serving.knative.dev/v1", kind: "Service" }).is, "other");
});

test("a slip in the kind is an error with a suggestion", () => {
  const identity = identifyObject({ apiVersion: `${gatewayApi}/v1`, kind: "HttpRoutes" });
  assert.ok(identity.is === "broken");
  assert.equal(identity.issue.hint, 'did you mean "HTTPRoute"?');
});

test("objects of other kinds are left to others", () => {
  for (const [apiVersion, kind] of [
    ["apps/v1", "Deployment"],
    ["v1", "Pod"],
    ["gateway.networking.x-k8s.io/v1alpha1", "XBackend"],
    ["cert-manager.io/v1", "Certificate"],
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
    ["kustomize.config.k8s.io/v1beta1", "Kustomization"],
  ])
    assert.equal(identifyObject({ apiVersion, kind }).is, "other", kind);
});

test("lists of any kind are their items", () => {
  assert.deepEqual(identifyObject({ apiVersion: "v1", kind: "List", items: [1] }), { is: "list", items: [1] });
  assert.deepEqual(identifyObject({ apiVersion: "v1", kind: "List", items: null }), { is: "list", items: [] });
  assert.equal(identifyObject({ apiVersion: `${gatewayApi}/v1`, kind: "HTTPRouteList", items: [] }).is, "list");
  assert.equal(identifyObject({ apiVersion: "v1", kind: "List", items: "x" }).is, "broken");
});

test("what is no object says what is missing", () => {
  const codes = [
    [],
    "text",
    7,
    null,
    { kind: "Service" },
    { apiVersion: "v1" },
    { apiVersion: 1, kind: "Service" },
  ].map((value) => {
    const identity = identifyObject(value);
    return identity.is === "broken" ? identity.issue.code : identity.is;
  });
  assert.deepEqual(codes, [
    ...["not-an-object", "not-an-object", "not-an-object", "not-an-object"],
    ...["missing-type", "missing-type", "missing-type"],
  ]);
});
