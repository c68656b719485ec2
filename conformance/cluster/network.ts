// The network of a cluster. The first node's namespace is the capsule's own and holds the control plane; further nodes and a
// client outside of the cluster have namespaces of their own, all linked by a switch. Nothing leads out of it.

/** Addresses of Services of type LoadBalancer. */
export const LOAD_BALANCER_POOL = "10.98.0.0/24";
/** Addresses of Services. Holds neither nodes nor load balancers: kube-proxy drops what it does not know of it. */
export const SERVICE_CIDR = "10.96.0.0/16";
/** The Service of the API server, the first of the range. */
export const API_SERVICE = "10.96.0.1";
/** Cluster DNS. */
export const DNS_SERVICE = "10.96.0.10";
/** All pods. */
export const POD_CIDR = "10.244.0.0/16";
/** The namespace of the client outside, below /run/netns of the capsule. */
export const OUTSIDE = "outside";

const SWITCH = "switch";
const OUTSIDE_ADDRESS = "10.99.0.254";

/** A node of the cluster. */
export interface NodePlan {
  readonly name: string;
  readonly address: string;
  readonly podCidr: string;
  readonly zone: string;
  /** Its network namespace; the capsule's own for the first node. */
  readonly namespace?: string;
}

/** The nodes of a cluster: node1 in zone-1, node2 in zone-2 and so on. */
export function planNodes(count: number): readonly NodePlan[] {
  if (!Number.isInteger(count) || count < 1 || count > 9) throw new Error("a cluster has 1 to 9 nodes");
  return Array.from({ length: count }, (_, index) => ({
    name: `node${index + 1}`,
    address: `10.99.0.${index + 1}`,
    podCidr: `10.244.${index + 1}.0/24`,
    zone: `zone-${index + 1}`,
    ...(index > 0 && { namespace: `node${index + 1}` }),
  }));
}

/** Arguments for `ip -batch -` in the capsule, in order: the namespaces, the links, then what is inside each namespace. */
export function networkCommands(nodes: readonly NodePlan[]): readonly (readonly [namespace: string, lines: string])[] {
  const others = nodes.flatMap(({ namespace }) => namespace ?? []);
  const links = [
    ...[SWITCH, OUTSIDE, ...others].map((name) => `netns add ${name}`),
    "link set lo up",
    ...nodes.map(({ name, namespace }) => linkToSwitch(name, namespace)),
    linkToSwitch(OUTSIDE, OUTSIDE),
  ];
  const ports = [...nodes.map(({ name }) => name), OUTSIDE];
  return [
    ["", links.join("\n")],
    [
      SWITCH,
      [
        "link add switch0 type bridge",
        "link set switch0 up",
        ...ports.flatMap((port) => [`link set ${port} master switch0`, `link set ${port} up`]),
      ].join("\n"),
    ],
    ...nodes.map((node) => [node.namespace ?? "", nodeLines(node, nodes).join("\n")] as const),
    [OUTSIDE, outsideLines(nodes).join("\n")],
  ];
}

function linkToSwitch(port: string, namespace: string | undefined): string {
  const there = namespace === undefined ? "" : ` netns ${namespace}`;
  return `link add ${port} netns ${SWITCH} type veth peer name eth0${there}`;
}

function nodeLines(node: NodePlan, nodes: readonly NodePlan[]): readonly string[] {
  return [
    "link set lo up",
    `addr add ${node.address}/24 dev eth0`,
    "link set eth0 up",
    ...nodes
      .filter(({ name }) => name !== node.name)
      .map(({ podCidr, address }) => `route add ${podCidr} via ${address}`),
    // Where addresses go that kube-proxy does not translate: to one who does not pass them on.
    `route add default via ${OUTSIDE_ADDRESS}`,
  ];
}

/** A client outside reaches nodes and load balancers; it has a way to pods as well, as the networks of some clouds do. */
function outsideLines(nodes: readonly NodePlan[]): readonly string[] {
  const hops = nodes.map(({ address }) => `nexthop via ${address}`).join(" ");
  return [
    "link set lo up",
    `addr add ${OUTSIDE_ADDRESS}/24 dev eth0`,
    "link set eth0 up",
    `route add ${LOAD_BALANCER_POOL} ${hops}`,
    ...nodes.map(({ podCidr, address }) => `route add ${podCidr} via ${address}`),
  ];
}
