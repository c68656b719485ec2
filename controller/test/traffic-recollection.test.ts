/** A traffic policy that changes makes anew what it may matter to, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceId } from "@sallyport/model/snapshot";
import { translateWorld } from "../src/translate/run.ts";
import { type AnyWorldObject, indexWorld, type IndexedWorld } from "../src/world/indexed-world.ts";
import { clusterOptions, GATEWAY_CLASS, objectsOf } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

const API = "gateway.networking.k8s.io";

const toRoute = (name: string, section: string, service: string) => `
apiVersion: ${API}/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec:
  parentRefs: [{ name: edge, sectionName: ${section} }]
  rules: [{ name: only, backendRefs: [{ name: ${service}, port: 80 }] }]
`;

const toPolicy = (name: string, target: string) => `
apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: ${name}, namespace: shop }
spec: { targetRefs: [${target}], timeout: { request: 1s, connect: 1s } }
`;

const WORLD = [
  GATEWAY_CLASS,
  `
apiVersion: ${API}/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  gatewayClassName: sallyport
  listeners: [{ name: one, port: 80, protocol: HTTP }, { name: two, port: 81, protocol: HTTP }]
`,
  ...["web", "api"].map(
    (name) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { ports: [{ port: 80 }] }
`,
  ),
  toRoute("a", "one", "web"),
  toRoute("b", "two", "web"),
  toRoute("c", "two", "api"),
  toPolicy("route", `{ group: ${API}, kind: HTTPRoute, name: a }`),
  toPolicy("rule", `{ group: ${API}, kind: HTTPRoute, name: b, sectionName: only }`),
  toPolicy("listener", `{ group: ${API}, kind: Gateway, name: edge, sectionName: two }`),
  toPolicy("gateway", `{ group: ${API}, kind: Gateway, name: edge }`),
  toPolicy("service", `{ group: "", kind: Service, name: api }`),
].join("---");

/** The policy with another timeout, or with another status alone. */
function change(object: AnyWorldObject, name: string, what: "spec" | "status"): AnyWorldObject {
  if (object.kind !== "BackendTrafficPolicy" || object.name !== name) return object;
  const { spec } = object.object;
  if (what === "status") return { ...object, object: { ...object.object, status: { ancestors: [] } } };
  const timeout = { ...spec.timeout, request: "2s", connect: "2s", streamIdle: "2s" };
  return { ...object, object: { ...object.object, spec: { ...spec, timeout } } };
}

/** Ids of the routes and clusters that are other objects after a change of one policy. */
function findRenewed(world: IndexedWorld, name: string, what: "spec" | "status"): ResourceId[] {
  const first = translateWorld(world, clusterOptions);
  const changed = indexWorld(
    objectsOf(world).map((object) => change(object, name, what)),
    world,
  );
  const second = translateWorld(changed, clusterOptions, first);
  return [...second.snapshot.resources]
    .filter(([id, resource]) => /^(http-route|cluster)/.test(id) && first.snapshot.resources.get(id) !== resource)
    .map(([id]) => id)
    .toSorted();
}

const routesOf = (ids: readonly ResourceId[]) => ids.filter((id) => id.startsWith("http-route"));

const CASES: readonly (readonly [policy: string, routes: readonly string[]])[] = [
  ["route", ["a"]],
  ["rule", ["b"]],
  ["listener", ["b", "c"]],
  ["gateway", ["a", "b", "c"]],
  ["service", ["c"]],
];

for (const [policy, routes] of CASES) {
  test(`a change of the policy of a ${policy} makes anew the routes ${routes.join(", ")}`, async () => {
    const renewed = findRenewed(await loadClusterWorld(WORLD), policy, "spec");
    assert.deepEqual(
      routesOf(renewed),
      routes.map((name) => `http-route|shop/${name}`),
    );
  });
}

test("what only a policy's status says makes nothing anew", async () => {
  for (const [policy] of CASES)
    assert.deepEqual(findRenewed(await loadClusterWorld(WORLD), policy, "status"), [], policy);
});

test("clusters whose settings are the same stay the same", async () => {
  const renewed = findRenewed(await loadClusterWorld(WORLD), "rule", "spec");
  const clusters = renewed.filter((id) => id.startsWith("cluster"));
  assert.equal(clusters.length, 1, clusters.join(" "));
  assert.match(clusters[0] ?? "", /^cluster\|shop\/web:80~traffic=[0-9a-f]{12}$/);
});
