/**
 * Server names that several TLSRoutes of a listener come to: a listener cuts `*.example.com` and `*.com` to one name. It is
 * served by the route whose own hostname is narrower, exact before wildcard and long before short, and only then by age
 * (Gateway API, GatewayRouteHostnameIntersectionPrecedence).
 */
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
import { attachmentsOf, type RouteDraft } from "./route-draft.ts";
import type { RouteObject } from "./route-parents.ts";

/** Whether a route serves a hostname of a listener it is attached to, or another route has it by a narrower name. */
export type ServesHostname = (subject: RouteObject, listener: ListenerPlan, hostname: string) => boolean;

/** Finds out who serves what. All other kinds of routes serve all that they are attached for. */
export function findServers(drafts: readonly RouteDraft[]): ServesHostname {
  const narrowest = new Map<ListenerPlan, Map<string, number>>();
  for (const { subject, parents } of drafts) {
    if (subject.kind !== "TLSRoute") continue;
    for (const { listener, hostnames } of parents.flatMap(attachmentsOf)) {
      const known = narrowest.get(listener) ?? new Map<string, number>();
      narrowest.set(listener, known);
      for (const hostname of hostnames) {
        known.set(hostname, Math.max(known.get(hostname) ?? 0, toNarrowness(subject, listener, hostname)));
      }
    }
  }
  return (subject, listener, hostname) =>
    toNarrowness(subject, listener, hostname) >= (narrowest.get(listener)?.get(hostname) ?? 0);
}

/** How narrow the narrowest of a route's hostnames is that the listener cuts to this one. */
function toNarrowness({ object }: RouteObject, listener: ListenerPlan, hostname: string): number {
  const own = "hostnames" in object.spec ? (object.spec.hostnames ?? []) : [];
  const leading = own.filter((name) => intersectHostnames(listener.hostname ?? ANY_HOST, name) === hostname);
  return Math.max(0, ...leading.map((name) => (name.startsWith("*") ? name.length : Infinity)));
}
