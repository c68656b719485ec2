// Where nodes are, by their labels, and what requests make of it.
import assert from "node:assert/strict";
import { untilJudged } from "../echo.ts";
import { fieldOf, type KubeObject } from "../kube-client.ts";
import { podsOf } from "./observations.ts";
import { object, type PolicyCluster } from "./policy-cluster.ts";

const ZONE = "lab-a";
const LABELS = {
  "topology.kubernetes.io/region": "lab",
  "topology.kubernetes.io/zone": ZONE,
  "topology.istio.io/subzone": "rack-1",
};

/**
 * A Service with two endpoints in the zone of the proxies, of which one is on a node: only that is in their subzone. Requests go to both
 * without a policy, and stay in the subzone with one.
 */
export async function keepsToSubzone(cluster: PolicyCluster): Promise<void> {
  const nodes = await cluster.client.list("/api/v1/nodes");
  const labels = Object.entries(LABELS).map(([key, value]) => `${key}=${value}`);
  await cluster.kubectl(["label", "nodes", "--all", "--overwrite", ...labels]);
  const route = await cluster.addBackend("near");
  const slice = await toSlice(cluster);
  try {
    await cluster.client.apply(slice);
    await untilJudged(async () => assert.equal((await podsOf(cluster, "near", {}, 20)).size, 2));
    await cluster.withPolicy("near", { kind: "Service", name: "near" }, { locality: {} }, () =>
      untilJudged(async () =>
        assert.deepEqual([...(await podsOf(cluster, "near", {}, 20))], [fieldOf(slice, "endpoints", 0, "hostname")]),
      ),
    );
    await untilJudged(async () => assert.equal((await podsOf(cluster, "near", {}, 20)).size, 2));
  } finally {
    await cluster.client.remove(slice);
    await cluster.client.remove(route);
    for (const node of nodes)
      await cluster.kubectl(["label", "node", node.metadata.name, "--overwrite", ...before(node)]);
  }
}

/** The labels as the node had them, as arguments of kubectl. */
function before(node: KubeObject): readonly string[] {
  return Object.keys(LABELS).map((key) => {
    const value = fieldOf(node, "metadata", "labels", key);
    return typeof value === "string" ? `${key}=${value}` : `${key}-`;
  });
}

/** Two pods of `web`; nothing is known of the node of the second. */
async function toSlice(cluster: PolicyCluster): Promise<KubeObject> {
  const { metadata } = object("", "", "near-1", {});
  const pods = await cluster.client.list(`/api/v1/namespaces/${metadata.namespace}/pods?labelSelector=app%3Dweb`);
  const endpoints = pods.slice(0, 2).map((pod, index) => ({
    addresses: [fieldOf(pod, "status", "podIP")],
    hostname: pod.metadata.name,
    zone: ZONE,
    ...(index === 0 ? { nodeName: fieldOf(pod, "spec", "nodeName") } : {}),
  }));
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "near" } },
    addressType: "IPv4",
    ports: [{ name: "", port: 3000, protocol: "TCP" }],
    endpoints,
  };
}
