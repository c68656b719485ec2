/** TLSRoutes, TCPRoutes and UDPRoutes: backends for connections and datagrams, by weight. */
import type { StreamBackend } from "@sallyport/model/route";
import type { TCPRouteSpec } from "../../kube/generated/types/tcp-route.ts";
import type { TLSRouteSpec } from "../../kube/generated/types/tls-route.ts";
import type { UDPRouteSpec } from "../../kube/generated/types/udp-route.ts";
import type { Flaw } from "../flaw.ts";
import { resolveBackend } from "./backend-ref.ts";
import { findServices, type RouteBody } from "./route-body.ts";
import type { RouteContext } from "./route-context.ts";

/**
 * The body of a route that has no matches of its own: the API allows it one rule. A reference that leads nowhere keeps its
 * share, whose connections are closed and datagrams dropped.
 */
export function translateStreamRoute(
  context: RouteContext,
  { rules }: TLSRouteSpec | TCPRouteSpec | UDPRouteSpec,
): RouteBody {
  const backends: StreamBackend[] = [];
  const unresolved: Flaw[] = [];
  for (const [ruleIndex, { backendRefs }] of rules.entries()) {
    for (const [index, ref] of backendRefs.entries()) {
      const { weight } = ref;
      const cluster = resolveBackend(context, ref, `spec.rules[${ruleIndex}].backendRefs[${index}]`);
      if (cluster.ok) {
        backends.push({ kind: "cluster", cluster: cluster.value.cluster, weight });
        context.scope.note(cluster.value.traffic.effective.fates);
      } else {
        unresolved.push(cluster.error);
        backends.push({ kind: "invalid", reason: cluster.error.reason, weight });
      }
    }
  }
  return {
    content: { kind: "stream-route", backends },
    accepted: true,
    broken: [],
    unresolved,
    findings: unresolved,
    ...findServices(
      context,
      rules.flatMap(({ backendRefs }) => backendRefs),
    ),
    traffic: context.scope.outcome,
  };
}
