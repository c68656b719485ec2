/**
 * Who gets the connections and datagrams of a listener where several routes are attached. All of them are accepted and
 * counted, and one has the traffic: of TCPRoutes and UDPRoutes the oldest, then the one first by namespace and name. Of
 * TLSRoutes, each server name goes to the route whose own hostname is narrower (a listener cuts `*.example.com` and `*.com` to one
 * name), exact before wildcard and long before short, and only then by age (GatewayRouteHostnameIntersectionPrecedence).
 */
import type { Finding } from "../flaw.ts";
import { ANY_HOST } from "../hostname.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
import { type ListenerHostname, toHostnameCut } from "./hostname-cut.ts";
import { attachmentsOf, type RouteDraft } from "./route-draft.ts";
import type { RouteObject } from "./route-parents.ts";

/** By listener and hostname; routes that carry requests are not in it, for they share. */
export type StreamOwners = ReadonlyMap<ListenerPlan, ReadonlyMap<string, RouteObject>>;

/** Finds out who gets what. */
export function findStreamOwners(drafts: readonly RouteDraft[]): StreamOwners {
  const owners = new Map<ListenerPlan, Map<string, RouteObject>>();
  for (const { subject, parents } of drafts) {
    if (subject.kind === "HTTPRoute" || subject.kind === "GRPCRoute") continue;
    for (const { listener, hostnames } of parents.flatMap(attachmentsOf)) {
      const known = owners.get(listener) ?? new Map<string, RouteObject>();
      owners.set(listener, known);
      for (const hostname of hostnames) {
        const other = known.get(hostname);
        if (other === undefined || comesBefore(subject, other, { listener, hostname })) known.set(hostname, subject);
      }
    }
  }
  return owners;
}

/** Whether a route that is attached to a listener for a hostname gets what comes there. */
export function isOwner(owners: StreamOwners, subject: RouteObject, { listener, hostname }: ListenerHostname): boolean {
  return (owners.get(listener)?.get(hostname) ?? subject) === subject;
}

/** What a route is attached for and does not get: accepted as it is, nothing in its status would say so. */
export function findLosses(owners: StreamOwners, { subject, parents }: RouteDraft): Finding[] {
  return parents.flatMap((parent) =>
    attachmentsOf(parent).flatMap(({ listener, hostnames }) =>
      hostnames.flatMap((hostname): Finding[] => {
        const owner = owners.get(listener)?.get(hostname);
        return owner === undefined || owner === subject ? [] : [toLoss(parent.path, { listener, hostname }, owner)];
      }),
    ),
  );
}

function comesBefore(left: RouteObject, right: RouteObject, claim: ListenerHostname): boolean {
  const difference = toHostnameCut(left, claim) - toHostnameCut(right, claim);
  return difference === 0 ? toRank(left) < toRank(right) : difference < 0;
}

function toRank({ age, namespace, name }: RouteObject): string {
  return `${age}\0${namespace}/${name}`;
}

function toLoss(
  path: string,
  { listener, hostname }: ListenerHostname,
  { kind, namespace, name }: RouteObject,
): Finding {
  const what = hostname === ANY_HOST ? "everything" : `what is for ${hostname}`;
  return {
    code: "conflict",
    path,
    message: `on the listener ${listener.spec.name} ${what} goes to the ${kind} ${namespace}/${name} instead`,
    hint: "the oldest route gets it, and of TLSRoutes the one with the narrower hostname",
  };
}
