/** Whose proxies these are: what all objects of one group are called, labelled and owned by. */
import type { Manifest, ManifestKind, OwnerReference } from "./manifest.ts";
import { toApiVersion } from "./manifest.ts";

/** The proxies of one group. */
export interface ProxyIdentity {
  /** `namespace/name` of a Gateway, or INGRESS_GROUP. */
  readonly group: string;
  /** Name of the Deployment and of most else. */
  readonly name: string;
  readonly namespace: string;
  /** With them the objects go. At least one; the first is the controller. */
  readonly owners: readonly OwnerReference[];
  /** That say which Gateway and class it is for (GEP-1762). */
  readonly groupLabels: Readonly<Record<string, string>>;
  /** What the user wants on everything (`spec.infrastructure`); what is ours wins. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Says of an object that a controller of ours made it. */
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
/** Value of MANAGED_BY_LABEL, and name under which fields are applied. */
export const MANAGER = "sallyport-controller";
/** Which controller made it (its controllerName): a cluster may have several. */
export const CONTROLLER_ANNOTATION = "sallyport.io/controller-name";

/** What selects the pods. A Deployment's selector never changes, so that this must not either. */
export function toPodSelector({ name }: ProxyIdentity): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": "sallyport-proxy", "app.kubernetes.io/instance": name };
}

/** Labels of every object, and of the pods. */
export function toLabels(identity: ProxyIdentity): Readonly<Record<string, string>> {
  return {
    ...identity.labels,
    ...toPodSelector(identity),
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/part-of": "sallyport",
    [MANAGED_BY_LABEL]: MANAGER,
    ...identity.groupLabels,
  };
}

/** An object of the group; `more` are labels and annotations that only this one has. */
export function toManifest(
  kind: ManifestKind,
  identity: ProxyIdentity,
  fields: Readonly<Record<string, unknown>>,
  more: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly controllerName: string;
  },
): Manifest {
  return {
    apiVersion: toApiVersion(kind),
    kind,
    metadata: {
      name: more.name ?? identity.name,
      namespace: identity.namespace,
      labels: { ...more.labels, ...toLabels(identity) },
      annotations: { ...identity.annotations, ...more.annotations, [CONTROLLER_ANNOTATION]: more.controllerName },
      ownerReferences: identity.owners,
    },
    ...fields,
  };
}
