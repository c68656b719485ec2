/**
 * Traffic policies as the rules of one route meet them. It answers what counts for a backend, and collects what comes of that: the
 * variants of clusters that are needed, and for statuses whose fields are in force.
 */
import type { World } from "../../world/world.ts";
import type { FieldFate } from "../policy/attachment.ts";
import { findServicePort, type ServicePortRef, type Traffic } from "../service-port.ts";
import { type EffectiveTraffic, mergeTraffic } from "./effective.ts";
import { toServiceLayers, type TrafficLayer, type TrafficPolicies } from "./policies.ts";
import type { ClusterTraffic } from "./settings.ts";
import { toVariant, type TrafficVariants } from "./variant.ts";

/** What is more specific than a Service, and what is less, each with the most specific first. */
export interface SurroundingLayers {
  readonly above: readonly TrafficLayer[];
  readonly below: readonly TrafficLayer[];
}

/** What comes of policies besides the rules themselves. */
export interface TrafficOutcome {
  readonly variants: TrafficVariants;
  /** Some perhaps twice. */
  readonly fates: readonly FieldFate[];
}

/** What counts for one backend. */
export interface BackendTraffic {
  readonly effective: EffectiveTraffic;
  /** Stands in the key of its cluster; undefined for the port's own one. */
  readonly variant: string | undefined;
  readonly service: readonly TrafficLayer[];
}

/** Collects what comes of the policies that the rules of one route meet. */
export class TrafficScope {
  /** The policies there are. */
  readonly policies: TrafficPolicies;
  readonly #variants = new Map<string, ClusterTraffic>();
  readonly #fates = new Set<FieldFate>();

  constructor(policies: TrafficPolicies) {
    this.policies = policies;
  }

  /**
   * What counts for a Service port that traffic is sent to. Of connections and datagrams only what is said of the Service counts. The
   * variant is noted as one that is needed.
   */
  resolve(
    world: World,
    ref: ServicePortRef,
    { traffic, layers: { above, below } }: { readonly traffic: Traffic; readonly layers: SurroundingLayers },
  ): BackendTraffic {
    const service = findServiceLayers(world, this.policies, ref, traffic);
    const isHttp = traffic === "http" || traffic === "grpc";
    if (!isHttp || (above.length === 0 && below.length === 0)) {
      return { effective: mergeTraffic(service), variant: undefined, service };
    }
    const effective = mergeTraffic([...above, ...service, ...below]);
    const variant = toVariant(effective.cluster, mergeTraffic(service).cluster);
    if (variant !== undefined) this.#variants.set(variant.name, variant.settings);
    return { effective, variant: variant?.name, service };
  }

  /** Notes whose fields are in force. */
  note(fates: readonly FieldFate[]): void {
    for (const fate of fates) this.#fates.add(fate);
  }

  /** All that was noted. */
  get outcome(): TrafficOutcome {
    return { variants: this.#variants, fates: [...this.#fates] };
  }
}

/** What policies say of a Service port, whoever sends to it. */
export function findServiceLayers(
  world: World,
  policies: TrafficPolicies,
  ref: ServicePortRef,
  traffic: Traffic,
): readonly TrafficLayer[] {
  if (policies.own.size === 0 && policies.x.size === 0) return [];
  const portName = findServicePort(world, ref, traffic)?.name;
  return toServiceLayers(policies, { namespace: ref.namespace, name: ref.name, portName });
}
