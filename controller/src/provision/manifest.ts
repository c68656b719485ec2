/** Objects as they are applied: what all of them have in common, and where the API server has them. */

/** One object to apply. It names only fields that are ours. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: ManifestKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly OwnerReference[];
  };
  readonly [field: string]: unknown;
}

/** A kind that is provisioned. */
export type ManifestKind =
  | "ServiceAccount"
  | "ConfigMap"
  | "Deployment"
  | "Service"
  | "HorizontalPodAutoscaler"
  | "PodDisruptionBudget";

/** Who an object goes with: deleted when none of its owners is left. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean;
  readonly blockOwnerDeletion: boolean;
}

/** Where the objects of a kind are. */
interface KindFacts {
  readonly apiVersion: string;
  readonly plural: string;
}

/** In the order in which they are made: what pods need before the pods, and what counts pods after them. */
const facts = {
  ServiceAccount: { apiVersion: "v1", plural: "serviceaccounts" },
  ConfigMap: { apiVersion: "v1", plural: "configmaps" },
  Service: { apiVersion: "v1", plural: "services" },
  Deployment: { apiVersion: "apps/v1", plural: "deployments" },
  HorizontalPodAutoscaler: { apiVersion: "autoscaling/v2", plural: "horizontalpodautoscalers" },
  PodDisruptionBudget: { apiVersion: "policy/v1", plural: "poddisruptionbudgets" },
} satisfies Readonly<Record<ManifestKind, KindFacts>>;

/** All kinds that are provisioned. */
export const manifestKinds: readonly ManifestKind[] = [
  "ServiceAccount",
  "ConfigMap",
  "Service",
  "Deployment",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
];

/** `apps/v1`. */
export function toApiVersion(kind: ManifestKind): string {
  return facts[kind].apiVersion;
}

/** Path of all objects of a kind. */
export function toKindPath(kind: ManifestKind): string {
  const { apiVersion, plural } = facts[kind];
  return `${apiVersion === "v1" ? "/api" : "/apis"}/${apiVersion}/${plural}`;
}

/** Path of one object. */
export function toObjectPath({ kind, namespace, name }: ManifestKey): string {
  const { apiVersion, plural } = facts[kind];
  const root = `${apiVersion === "v1" ? "/api" : "/apis"}/${apiVersion}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
}

/** Which object. */
export interface ManifestKey {
  readonly kind: ManifestKind;
  readonly namespace: string;
  readonly name: string;
}

/** Which object a manifest is. */
export function keyOf({ kind, metadata: { namespace, name } }: Manifest): ManifestKey {
  return { kind, namespace, name };
}

/** `Kind namespace/name`, for maps and for people. */
export function toKeyText({ kind, namespace, name }: ManifestKey): string {
  return `${kind} ${namespace}/${name}`;
}
