// The command lines of a cluster's components. Paths in /run and /var are the capsule's own.
import { join } from "node:path";
import type { Order } from "./capsule.ts";
import { API_SERVICE, DNS_SERVICE, LOAD_BALANCER_POOL, type NodePlan, POD_CIDR, SERVICE_CIDR } from "./network.ts";
import type { ClusterPrograms } from "./programs.ts";
import type { ClusterPaths } from "./state.ts";

/** What command lines are made of. */
export interface ComponentContext {
  readonly paths: ClusterPaths;
  readonly programs: ClusterPrograms;
  readonly nodes: readonly NodePlan[];
  readonly keep: readonly string[];
}

const ETCD = "http://127.0.0.1:2379";
/** A client of tests asks much at once; the defaults are for control planes that many share. */
const UNHURRIED = ["--kube-api-qps=200", "--kube-api-burst=400"];
const ALONE = ["--leader-elect=false", "--bind-address=127.0.0.1"];

/** Makes all certificates and kubeconfigs; a command of the machine, before the capsule is there. */
export function certificateArguments({ paths, nodes }: ComponentContext): readonly string[] {
  const [first] = nodes;
  const address = first?.address ?? "";
  return [
    "certificates",
    ...["-directory", paths.certificates],
    ...["-server", `https://${address}:6443`],
    ...["-server-addresses", `${address},${API_SERVICE}`],
    ...["-nodes", nodes.map((node) => `${node.name}=${node.address}`).join(",")],
  ];
}

/** The store, which loses everything at its end, and the API server. */
export function apiOrders(context: ComponentContext): readonly Order[] {
  const { kubernetes } = context.programs;
  return [
    {
      name: "etcd",
      argv: [
        kubernetes,
        "etcd",
        "--data-dir=/run/etcd",
        `--listen-client-urls=${ETCD}`,
        `--advertise-client-urls=${ETCD}`,
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
        "--log-level=warn",
      ],
    },
    { name: "kube-apiserver", argv: [kubernetes, "kube-apiserver", ...apiServerFlags(context)] },
  ];
}

function apiServerFlags({ paths, nodes }: ComponentContext): readonly string[] {
  const file = (name: string): string => join(paths.certificates, name);
  return [
    `--etcd-servers=${ETCD}`,
    "--secure-port=6443",
    `--advertise-address=${nodes[0]?.address}`,
    `--tls-cert-file=${file("apiserver.crt")}`,
    `--tls-private-key-file=${file("apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${file("service-accounts.crt")}`,
    `--service-account-signing-key-file=${file("service-accounts.key")}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    `--kubelet-client-certificate=${file("apiserver-kubelet.crt")}`,
    `--kubelet-client-key=${file("apiserver-kubelet.key")}`,
    `--kubelet-certificate-authority=${file("ca.crt")}`,
    "--kubelet-preferred-address-types=InternalIP",
    `--requestheader-client-ca-file=${file("ca.crt")}`,
    "--requestheader-allowed-names=front-proxy",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${file("front-proxy.crt")}`,
    `--proxy-client-key-file=${file("front-proxy.key")}`,
    "--allow-privileged=true",
    "--enable-priority-and-fairness=false",
    "--profiling=false",
    `--audit-policy-file=${auditPolicyPath(paths)}`,
    `--audit-log-path=${auditLogPath(paths)}`,
    "--v=1",
  ];
}

/** Where the audit policy of the API server is. */
export function auditPolicyPath({ directory }: ClusterPaths): string {
  return join(directory, "audit-policy.json");
}

/** Where the API server notes the requests of service accounts, a line of JSON each (audit.k8s.io/v1). */
export function auditLogPath({ logs }: ClusterPaths): string {
  return join(logs, "audit.log");
}

/** An audit policy: what accounts outside of kube-system ask for, without bodies. Roles can be compared with it. */
export function auditPolicy(): object {
  const omitStages = ["RequestReceived"];
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    rules: [
      { level: "None", userGroups: ["system:serviceaccounts:kube-system"] },
      { level: "Metadata", userGroups: ["system:serviceaccounts"], omitStages },
      { level: "None" },
    ],
  };
}

/** What works on the API server's objects, once it answers. */
export function controlOrders({ paths, programs }: ComponentContext): readonly Order[] {
  const file = (name: string): string => join(paths.certificates, name);
  const as = (name: string): readonly string[] =>
    ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
      (flag) => `--${flag}=${file(`${name}.kubeconfig`)}`,
    );
  const command = (name: string, ...flags: readonly string[]): Order => ({
    name,
    argv: [programs.kubernetes, name, ...flags],
  });
  return [
    command(
      "kube-controller-manager",
      ...as("controller-manager"),
      `--service-account-private-key-file=${file("service-accounts.key")}`,
      `--root-ca-file=${file("ca.crt")}`,
      `--cluster-signing-cert-file=${file("ca.crt")}`,
      `--cluster-signing-key-file=${file("ca.key")}`,
      "--use-service-account-credentials=true",
      ...ALONE,
      ...UNHURRIED,
    ),
    command("kube-scheduler", ...as("scheduler"), ...ALONE, ...UNHURRIED),
    command("load-balancers", `-kubeconfig=${file("admin.kubeconfig")}`, `-pool=${LOAD_BALANCER_POOL}`),
  ];
}

/** Where a node's runtime listens once its surroundings are made. */
export function runtimeSocket(node: NodePlan): string {
  return `/run/runtime-${node.name}.sock`;
}

/** The container runtime of a node, the first process of its surroundings. */
export function runtimeOrder({ paths, programs, keep }: ComponentContext, node: NodePlan): Order {
  const serve = [
    programs.runtime,
    "serve",
    `-listen=${runtimeSocket(node)}`,
    `-images=${paths.images}`,
    `-pod-cidr=${node.podCidr}`,
  ];
  const surroundings = [programs.runtime, "node", "-hostname", node.name, ...keep.flatMap((path) => ["-keep", path])];
  return {
    name: `runtime-${node.name}`,
    argv:
      node.namespace === undefined
        ? serve
        : ["nsenter", `--net=/run/netns/${node.namespace}`, ...surroundings, "--", ...serve],
  };
}

/** What runs beside the runtime, in the same surroundings: kubelets mount volumes that the runtime binds. */
export function nodeOrders(context: ComponentContext, node: NodePlan, runtimePid: number): readonly Order[] {
  const { paths, programs } = context;
  const inside = node.namespace === undefined ? [] : ["nsenter", `--target=${runtimePid}`, "--mount", "--uts", "--net"];
  return [
    {
      name: `kubelet-${node.name}`,
      argv: [
        ...inside,
        programs.kubernetes,
        "kubelet",
        `--config=${kubeletConfigPath(paths, node)}`,
        `--kubeconfig=${join(paths.certificates, `kubelet-${node.name}.kubeconfig`)}`,
        `--hostname-override=${node.name}`,
        `--node-ip=${node.address}`,
        `--node-labels=topology.kubernetes.io/zone=${node.zone},topology.kubernetes.io/region=region-1`,
        "--v=2",
      ],
    },
    {
      name: `kube-proxy-${node.name}`,
      argv: [
        ...inside,
        programs.kubernetes,
        "kube-proxy",
        `--kubeconfig=${join(paths.certificates, "proxy.kubeconfig")}`,
        "--proxy-mode=nftables",
        `--cluster-cidr=${POD_CIDR}`,
        `--hostname-override=${node.name}`,
        `--bind-address=${node.address}`,
        // These would change settings of the machine's kernel.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
      ],
    },
  ];
}

/** Where a kubelet's configuration is. */
export function kubeletConfigPath(paths: ClusterPaths, node: NodePlan): string {
  return join(paths.directory, `kubelet-${node.name}.json`);
}

/** A KubeletConfiguration (kubelet.config.k8s.io/v1beta1). */
export function kubeletConfig({ paths }: ComponentContext, node: NodePlan): object {
  const file = (name: string): string => join(paths.certificates, name);
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${runtimeSocket(node)}`,
    // Containers are not limited, so that no cgroups are made; any version of them will do.
    failCgroupV1: false,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Without it the eviction manager complains every 10 s that it finds no file system.
    localStorageCapacityIsolation: true,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: file("ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: file(`serving-${node.name}.crt`),
    tlsPrivateKeyFile: file(`serving-${node.name}.key`),
    clusterDNS: [DNS_SERVICE],
    clusterDomain: "cluster.local",
    // The machine's resolver cannot be reached from here.
    resolvConf: "",
    // A full disk of the machine is not the cluster's affair; memory must be above 0.
    evictionHard: {
      "nodefs.available": "0%",
      "imagefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.inodesFree": "0%",
      "memory.available": "1Mi",
    },
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    fileCheckFrequency: "0s",
    // How long volumes may show an old ConfigMap or Secret.
    syncFrequency: "10s",
  };
}
