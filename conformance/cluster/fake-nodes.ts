// Nodes and endpoints that exist as objects only, for clusters that are to look large: no kubelet, no pods, no traffic.
import type { Cluster } from "./cluster.ts";

/** Endpoints of a Service that are written rather than found. */
export interface FakeEndpoints {
  readonly namespace: string;
  /** Of a Service without selector, so that Kubernetes leaves its endpoints alone. */
  readonly service: string;
  readonly count: number;
  readonly port: number;
  /** Spread over these, one after the other; see addFakeNodes. */
  readonly nodes?: readonly FakeNode[];
}

/** A node without kubelet. */
export interface FakeNode {
  readonly name: string;
  readonly zone: string;
}

/** As many as the control plane itself puts into a slice. */
const SLICE = 100;

/** Makes `count` Nodes, fake-1 and so on, over `zones` zones; nothing is ever scheduled to them. */
export async function addFakeNodes(cluster: Cluster, count: number, zones = 3): Promise<readonly FakeNode[]> {
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `fake-${index + 1}`,
    zone: `zone-${(index % zones) + 1}`,
  }));
  const items = nodes.map(({ name, zone }) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone } },
    spec: { taints: [{ key: "sallyport.io/fake", effect: "NoSchedule" }] },
  }));
  await createAll(cluster, items);
  return nodes;
}

/** Makes EndpointSlices (discovery.k8s.io/v1) of addresses that nobody has: 203.0.113.0/24 and what follows it. */
export async function addFakeEndpoints(cluster: Cluster, options: FakeEndpoints): Promise<void> {
  const { namespace, service, count, port, nodes = [] } = options;
  const endpoints = Array.from({ length: count }, (_, index) => {
    const node = nodes[index % Math.max(nodes.length, 1)];
    return {
      addresses: [addressOf(index)],
      conditions: { ready: true, serving: true, terminating: false },
      ...(node && { nodeName: node.name, zone: node.zone }),
    };
  });
  const slices = Array.from({ length: Math.ceil(count / SLICE) }, (_, index) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${service}-fake-${index + 1}`, namespace, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "", port, protocol: "TCP" }],
    endpoints: endpoints.slice(index * SLICE, (index + 1) * SLICE),
  }));
  await createAll(cluster, slices);
}

async function createAll(cluster: Cluster, items: readonly object[]): Promise<void> {
  await cluster.kubectl(["create", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
}

/** Counted up from 203.0.113.1, without .0 and .255. */
function addressOf(index: number): string {
  return `203.0.${113 + Math.floor(index / 254)}.${(index % 254) + 1}`;
}
