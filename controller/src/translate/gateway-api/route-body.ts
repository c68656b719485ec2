/** What a route does with its traffic, wherever it hangs: its rules and backends, for one way of speaking to them. */
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import type { HTTPRouteBackendObjectRef } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { toClusterKey } from "../service-port.ts";
import { isPermitted } from "../grants.ts";
import type { TrafficOutcome } from "../traffic/scope.ts";
import type { RouteContext } from "./route-context.ts";

/** The part of a route resource that does not depend on where it hangs. */
export type RouteContent = Pick<HttpRoute, "kind" | "rules"> | Pick<StreamRoute, "kind" | "backends">;

/** A rule that is not done as written. */
export interface BrokenRule {
  readonly index: number;
  readonly flaws: readonly Flaw[];
}

/** What a route does with its traffic. */
export interface RouteBody {
  /** Absent where nothing of it can be done. */
  readonly content?: RouteContent;
  /** Whether it makes a route: some rule must be done as written (GEP-1364). */
  readonly accepted: boolean;
  readonly broken: readonly BrokenRule[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
  /** All that is wrong, in the order of the rules. */
  readonly findings: readonly Flaw[];
  /** Keys (`namespace/service:port`) of the Service ports its references name with leave, whatever else becomes of them. */
  readonly usedServices: ReadonlySet<string>;
  /** Those of them whose TLS is ours to add. */
  readonly backendServices: ReadonlySet<string>;
  /** What comes of traffic policies. */
  readonly traffic: TrafficOutcome;
}

/** The Service ports that these references name with leave. To bytes that nothing may be added to no TLS is ours to add. */
export function findServices(
  { world, route, traffic }: RouteContext,
  refs: readonly HTTPRouteBackendObjectRef[],
): Pick<RouteBody, "usedServices" | "backendServices"> {
  const keys = new Set<string>();
  for (const { group, kind, namespace = route.namespace, name, port } of refs) {
    if (group !== "" || kind !== "Service" || port === undefined) continue;
    const from = { group: route.group, kind: route.kind, namespace: route.namespace };
    if (!isPermitted(world, { from, to: { group, kind, namespace, name } })) continue;
    keys.add(toClusterKey({ namespace, name, port }));
  }
  const hasTls = traffic !== "passthrough" && traffic !== "datagram";
  return { usedServices: keys, backendServices: hasTls ? keys : NO_SERVICES };
}

const NO_SERVICES: ReadonlySet<string> = new Set();
