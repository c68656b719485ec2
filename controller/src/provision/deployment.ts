/** The Deployment of a group: pods that run `sallyport gateway`, with no rights beyond serving and asking for their configuration. */
import { TOKEN_AUDIENCE } from "@sallyport/model/distribution";
import type { ParametersSpec } from "../translate/gateway-api/gateway-parameters.ts";
import { toLabels, toManifest, toPodSelector, type ProxyIdentity } from "./identity.ts";
import type { Manifest } from "./manifest.ts";
import { toSeconds } from "./parameters.ts";

/** What pods of all groups have in common. */
export interface ProxyFacts {
  readonly controllerName: string;
  /** Of proxies, unless their parameters name another. */
  readonly image: string;
  /** `host:port` at which proxies find the controller. */
  readonly controllerAddress: string;
}

type DeploymentParameters = NonNullable<ParametersSpec["deployment"]>;

/** Of metrics and probes. */
const METRICS_PORT = 15_020;
/** Nobody in particular; the user of images without a shell. */
const USER = 65_532;
/** Seconds between the end of the drain and the kill. */
const GRACE = 15;
/** Seconds; as the command has them. */
const DRAIN = { min: "5s", max: "30s" };
const TOKEN_SECONDS = 3600;
const CA_DIRECTORY = "/etc/sallyport/ca";
const TOKEN_DIRECTORY = "/var/run/secrets/sallyport";
const STATE_DIRECTORY = "/var/lib/sallyport";

/** Name of the ConfigMap with the certificate of the controller's authority. */
export function toCaName({ name }: ProxyIdentity): string {
  return `${name}-ca`;
}

/**
 * The Deployment. Its pods change only with what is written here and in the parameters: whatever else changes reaches them while they
 * run. Without `replicas` their number is left to whoever scales: an autoscaler, or people.
 */
export function toDeployment(identity: ProxyIdentity, parameters: ParametersSpec, facts: ProxyFacts): Manifest {
  const settings = parameters.deployment ?? {};
  const spec = {
    ...pick(settings, ["replicas"]),
    revisionHistoryLimit: 3,
    // Soon enough for whoever waits, late enough for a slow pull or a node that is yet to come.
    progressDeadlineSeconds: 120,
    selector: { matchLabels: toPodSelector(identity) },
    // No proxy goes before its successor serves.
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
    template: {
      metadata: {
        labels: toLabels(identity),
        annotations: {
          "prometheus.io/scrape": "true",
          "prometheus.io/port": String(METRICS_PORT),
          "prometheus.io/path": "/metrics",
          ...withoutLoosening(identity.annotations),
          ...withoutLoosening(settings.podAnnotations),
        },
      },
      spec: toPodSpec(identity, settings, facts),
    },
  };
  return toManifest("Deployment", identity, { spec }, facts);
}

/** Annotations by which kubelets, old and new, take a container's profiles of AppArmor and seccomp away again. */
const LOOSENING =
  /^(?:container\.apparmor\.security\.beta|container\.seccomp\.security\.alpha|seccomp\.security\.alpha)\.kubernetes\.io\//;

/** Who may write a Gateway must not decide how tightly its pods are kept. */
function withoutLoosening(annotations: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !LOOSENING.test(name)));
}

function toPodSpec(
  identity: ProxyIdentity,
  settings: DeploymentParameters,
  facts: ProxyFacts,
): Readonly<Record<string, unknown>> {
  return {
    serviceAccountName: identity.name,
    automountServiceAccountToken: false,
    // Variables for every Service of the namespace are no business of a proxy, and thousands of them keep it from starting.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: toSeconds(settings.maxDrain ?? DRAIN.max) + GRACE,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [toContainer(identity, settings, facts)],
    volumes: toVolumes(identity),
    topologySpreadConstraints: toSpread(identity, settings),
    ...pick(settings, ["imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName"]),
  };
}

function toContainer(
  { group }: ProxyIdentity,
  settings: DeploymentParameters,
  { image, controllerAddress }: ProxyFacts,
): Readonly<Record<string, unknown>> {
  return {
    name: "sallyport",
    image: settings.image ?? image,
    ...pick(settings, ["imagePullPolicy"]),
    args: [
      "gateway",
      ...["--group", group, "--controller", controllerAddress],
      ...["--ca", `${CA_DIRECTORY}/ca.crt`, "--token", `${TOKEN_DIRECTORY}/token`, "--state-dir", STATE_DIRECTORY],
      ...["--workers", String(settings.workers ?? 1)],
      ...["--min-drain", String(toSeconds(settings.minDrain ?? DRAIN.min))],
      ...["--max-drain", String(toSeconds(settings.maxDrain ?? DRAIN.max))],
      ...["--log-level", settings.logLevel ?? "info"],
    ],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      ...(settings.env ?? []),
    ],
    // Ports of listeners are not named here: a new listener would replace all pods.
    ports: [{ name: "metrics", containerPort: METRICS_PORT, protocol: "TCP" }],
    resources: settings.resources ?? { requests: { cpu: "100m", memory: "128Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...probes,
    volumeMounts: [
      { name: "ca", mountPath: CA_DIRECTORY, readOnly: true },
      { name: "token", mountPath: TOKEN_DIRECTORY, readOnly: true },
      { name: "state", mountPath: STATE_DIRECTORY },
    ],
  };
}

/**
 * Ready once a configuration is in force; alive even without one, for a controller that is away is no reason to start anew. Who answers late
 * is busy: to have it leave its share to others, who are as busy, would take them all away. One that is told to end need not say so.
 */
const probes = {
  startupProbe: { ...toProbe("/healthz"), periodSeconds: 1, failureThreshold: 60 },
  readinessProbe: { ...toProbe("/ready"), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 2 },
  livenessProbe: { ...toProbe("/healthz"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
};

function toProbe(path: string): { readonly httpGet: Readonly<Record<string, unknown>> } {
  return { httpGet: { path, port: "metrics", scheme: "HTTP" } };
}

function toVolumes(identity: ProxyIdentity): readonly Readonly<Record<string, unknown>>[] {
  const serviceAccountToken = { audience: TOKEN_AUDIENCE, expirationSeconds: TOKEN_SECONDS, path: "token" };
  return [
    { name: "ca", configMap: { name: toCaName(identity) } },
    { name: "token", projected: { sources: [{ serviceAccountToken }] } },
    // The last good configuration outlives the container and holds private keys: in memory, never on the node's disk.
    { name: "state", emptyDir: { medium: "Memory", sizeLimit: "256Mi" } },
  ];
}

function toSpread(
  identity: ProxyIdentity,
  { topologySpreadConstraints }: DeploymentParameters,
): readonly Readonly<Record<string, unknown>>[] {
  const labelSelector = { matchLabels: toPodSelector(identity) };
  if (topologySpreadConstraints !== undefined)
    return topologySpreadConstraints.map((constraint) => ({ labelSelector, ...constraint }));
  return ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector,
    matchLabelKeys: ["pod-template-hash"],
  }));
}

/** The fields that are there. */
function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {};
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name];
  return picked;
}
