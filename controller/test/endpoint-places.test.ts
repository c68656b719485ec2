/** Where endpoints of a cluster are said to be: by their nodes, and only where a policy asks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Locality } from "@sallyport/model/traffic";
import { translateWorld } from "../src/translate/run.ts";
import type { NodeFacts } from "../src/translate/services/endpoint-places.ts";
import type { TranslateOptions, WorldTranslation } from "../src/translate/translator.ts";
import { clusterOptions, GATEWAY_CLASS } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

const API = "gateway.networking.k8s.io";
const SERVICES = ["web", "other"].map(
  (name) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: shop, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: "", port: 8080, protocol: TCP }]
endpoints:
  - { addresses: [10.0.0.1], nodeName: n1, zone: a }
  - { addresses: [10.0.0.2], nodeName: n2 }
  - { addresses: [10.0.0.3], nodeName: n2, zone: moved }
  - { addresses: [10.0.0.4], nodeName: unheard-of, zone: a }
  - { addresses: [10.0.0.5] }
`,
);

/** A Gateway with a route to both Services, and a policy of one of them. */
function toText(locality: string): string {
  return [
    GATEWAY_CLASS,
    `
apiVersion: ${API}/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec: { gatewayClassName: sallyport, listeners: [{ name: one, port: 80, protocol: HTTP }] }
`,
    ...SERVICES,
    `
apiVersion: ${API}/v1
kind: HTTPRoute
metadata: { name: all, namespace: shop }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ name: web, port: 80 }, { name: other, port: 80 }] }]
`,
    `
apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: near, namespace: shop, generation: 1 }
spec: { targetRefs: [{ group: "", kind: Service, name: web }], locality: ${locality} }
`,
  ].join("---");
}

const NODES: Readonly<Record<string, Locality>> = {
  n1: { region: "eu", zone: "a", subzone: "r1" },
  n2: { region: "eu", zone: "b", subzone: "" },
};

function withNodes(nodes: Readonly<Record<string, Locality>>): TranslateOptions {
  const { proxies } = clusterOptions;
  assert.ok(proxies);
  const facts: NodeFacts = { localityOf: (node) => nodes[node] };
  return { ...clusterOptions, proxies: { ...proxies, nodes: facts } };
}

function endpointsOf({ snapshot }: WorldTranslation, name: string): readonly Endpoint[] {
  const found = snapshot.resources.get(`endpoints|shop/${name}:80`);
  assert.ok(found?.kind === "endpoints", [...snapshot.resources.keys()].join(" "));
  return found.endpoints;
}

const placesOf = (endpoints: readonly Endpoint[]): readonly string[] =>
  endpoints.map(({ locality = { region: "-", zone: "-", subzone: "-" } }) => Object.values(locality).join("/"));

test("endpoints are where their nodes are; a zone of their own goes before a node elsewhere, and where nobody asks it is all", async () => {
  const world = await loadClusterWorld(toText("{}"));
  const translation = translateWorld(world, withNodes(NODES));
  assert.deepEqual(placesOf(endpointsOf(translation, "web")), ["eu/a/r1", "eu/b/", "/moved/", "/a/", "-/-/-"]);
  assert.deepEqual(placesOf(endpointsOf(translation, "other")), ["/a/", "-/-/-", "/moved/", "/a/", "-/-/-"]);
  assert.ok([...endpointsOf(translation, "web"), ...endpointsOf(translation, "other")].every(({ labels }) => !labels));
});

test("a node that moves moves its endpoints, and nothing else is made anew", async () => {
  const world = await loadClusterWorld(toText("{}"));
  const first = translateWorld(world, withNodes(NODES));
  const same = translateWorld(world, withNodes({ ...NODES, n9: { region: "us", zone: "c", subzone: "" } }), first);
  assert.equal(endpointsOf(same, "web"), endpointsOf(first, "web"));
  const moved = translateWorld(world, withNodes({ ...NODES, n2: { region: "us", zone: "c", subzone: "" } }), same);
  assert.deepEqual(placesOf(endpointsOf(moved, "web")), ["eu/a/r1", "us/c/", "/moved/", "/a/", "-/-/-"]);
  assert.equal(endpointsOf(moved, "other"), endpointsOf(first, "other"));
});

test("priorities may name places and nodes; other labels are left out, and their policy is told", async () => {
  const text = toText("{ priorities: [version=v2, kubernetes.io/hostname, topology.istio.io/subzone=r1] }");
  const translation = translateWorld(await loadClusterWorld(text), withNodes(NODES));
  const nodes = endpointsOf(translation, "web").map(({ labels }) => labels?.["kubernetes.io/hostname"]);
  assert.deepEqual(nodes, ["n1", "n2", "n2", "unheard-of", undefined]);
  const cluster = translation.snapshot.resources.get("cluster|shop/web:80");
  assert.ok(cluster?.kind === "cluster");
  assert.deepEqual(cluster.locality?.priorities, ["kubernetes.io/hostname", "topology.istio.io/subzone=r1"]);
  const told = JSON.stringify(translation.statuses.find(({ object }) => object.kind === "BackendTrafficPolicy"));
  assert.match(told, /"reason":"Invalid".*spec\.locality\.priorities\[0\]: \\"version=v2\\" names a label/);
});
