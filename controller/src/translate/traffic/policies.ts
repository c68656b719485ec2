/** All traffic policies of a world, by what they are for, and the layers they make at one place. */
import type { World, WorldObject } from "../../world/world.ts";
import { digest } from "../digest.ts";
import {
  type AttachedPolicy,
  findHolder,
  indexPolicies,
  type Layer,
  type PolicyIndex,
  type TargetRef,
  tellPolicy,
} from "../policy/attachment.ts";
import { judgeTraffic, type TrafficPolicy } from "./judge.ts";
import type { TrafficFields } from "./settings.ts";

/** All traffic policies. */
export interface TrafficPolicies {
  readonly own: PolicyIndex<WorldObject<"BackendTrafficPolicy">>;
  /** Those of the Gateway API, which are for Services alone. */
  readonly x: PolicyIndex<WorldObject<"XBackendTrafficPolicy">>;
}

/** What one policy says at its place. */
export type TrafficLayer = Layer<TrafficFields>;

/** Indexes the policies of a world: the same index as long as its policies are the same. */
export function findTrafficPolicies(world: World): TrafficPolicies {
  const own = world.list("BackendTrafficPolicy");
  const x = world.list("XBackendTrafficPolicy");
  const known = indexes.get(own);
  if (known?.xList === x) return known.policies;
  const policies: TrafficPolicies = { own: indexPolicies(own), x: indexPolicies(x) };
  indexes.set(own, { xList: x, policies });
  return policies;
}

const indexes = new WeakMap<object, { readonly xList: object; readonly policies: TrafficPolicies }>();

/** A Service, and one of its ports by name if it has one. */
export interface ServicePlace {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string | undefined;
}

/** What policies say of a Service port, the most specific first: of the port, of the Service. */
export function toServiceLayers({ own, x }: TrafficPolicies, place: ServicePlace): readonly TrafficLayer[] {
  if (own.size === 0 && x.size === 0) return NO_LAYERS;
  const { namespace, name, portName } = place;
  const service: TargetRef = { group: "", kind: "Service", name };
  return toLayers([
    portName === undefined ? undefined : findHolder(own, namespace, { ...service, sectionName: portName }),
    findHolder(own, namespace, service),
    findHolder(x, namespace, service),
  ]);
}

/** The layers of some policies, in their order. */
export function toLayers(policies: readonly (TrafficPolicy | undefined)[]): readonly TrafficLayer[] {
  const layers = policies.flatMap((policy) => (policy === undefined ? [] : [toLayer(policy)]));
  return layers.length === 0 ? NO_LAYERS : layers;
}

const NO_LAYERS: readonly TrafficLayer[] = [];

function toLayer(policy: TrafficPolicy): TrafficLayer {
  const known = layersOf.get(policy);
  if (known !== undefined) return known;
  const layer = { owner: tellPolicy(policy), fields: judgeTraffic(policy).fields };
  layersOf.set(policy, layer);
  return layer;
}

const layersOf = new WeakMap<TrafficPolicy, TrafficLayer>();

/**
 * Stands for all that counts of a policy: two of one text are the same but for their status. Who remembers what was made with a policy
 * compares this.
 */
export function toFingerprint(policy: AttachedPolicy): string {
  const known = fingerprints.get(policy);
  if (known !== undefined) return known;
  const { kind, namespace, name, age, object } = policy;
  const text = JSON.stringify([kind, namespace, name, age, object.spec]);
  const fingerprint = digest(text);
  fingerprints.set(policy, fingerprint);
  return fingerprint;
}

const fingerprints = new WeakMap<AttachedPolicy, string>();
