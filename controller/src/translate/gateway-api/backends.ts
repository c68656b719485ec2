/** Weighted backends of a rule. */
import type { WeightedBackend } from "@sallyport/model/route";
import type { HTTPRouteBackendRef } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import type { BackendTraffic } from "../traffic/scope.ts";
import { resolveBackend } from "./backend-ref.ts";
import { translateFilters } from "./filters.ts";
import type { RouteContext, RulePlace } from "./route-context.ts";

/** The backends of a rule. */
export interface TranslatedBackends {
  readonly backends: readonly WeightedBackend[];
  /** What traffic policies say of each; undefined for those that take no requests. */
  readonly traffic: readonly (BackendTraffic | undefined)[];
  /** Filters of backends that cannot be done. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
}

/** Translates `backendRefs`; A reference that leads nowhere keeps its share, which answers 500. */
export function translateBackends(
  context: RouteContext,
  refs: readonly HTTPRouteBackendRef[],
  place: RulePlace,
): TranslatedBackends {
  const backends: WeightedBackend[] = [];
  const traffic: (BackendTraffic | undefined)[] = [];
  const flaws: Flaw[] = [];
  const unresolved: Flaw[] = [];
  for (const [index, ref] of refs.entries()) {
    const refPath = `${place.path}.backendRefs[${index}]`;
    const filters = translateFilters(context, ref.filters ?? [], { ...place, path: refPath });
    const cluster = resolveBackend(context, ref, refPath);
    flaws.push(...filters.flaws);
    unresolved.push(...filters.unresolved);
    const isUsable = cluster.ok && filters.blocked === undefined && ref.weight > 0;
    traffic.push(isUsable ? cluster.value.traffic : undefined);
    if (!cluster.ok) {
      unresolved.push(cluster.error);
      backends.push({ kind: "invalid", reason: cluster.error.reason, weight: ref.weight });
    } else if (filters.blocked !== undefined) {
      backends.push({ kind: "invalid", reason: filters.blocked, weight: ref.weight });
    } else {
      const { policies } = filters;
      backends.push({ kind: "cluster", cluster: cluster.value.cluster, weight: ref.weight, policies: [...policies] });
    }
  }
  return { backends, traffic, flaws, unresolved };
}
