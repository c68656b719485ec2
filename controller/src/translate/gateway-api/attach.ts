/** Which listeners a route hangs on: for each of its parentRefs the listeners that it names, that let it in and share a host. */
import type { World } from "../../world/world.ts";
import { type Flaw, hintName } from "../flaw.ts";
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import {
  type ListenerPlan,
  type ListenerSetPlan,
  type RouteKind,
  type RouteParent,
  tellOwner,
  toParentObject,
} from "./gateway-plan.ts";
import { admitsNamespace } from "./listener-namespaces.ts";

/** A reference to a parent, as all kinds of routes write it. */
export interface ParentRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

/** What attachment asks of a route. */
export interface AttachingRoute extends RouteKind {
  readonly namespace: string;
  readonly hostnames: readonly string[];
}

/** A listener a route hangs on and the hosts it serves there. */
export interface Attachment {
  readonly listener: ListenerPlan;
  readonly hostnames: readonly string[];
}

/** Where a parentRef leads: to listeners, or to the reason why to none. */
export type AttachResult =
  | { readonly kind: "attached"; readonly attachments: readonly Attachment[] }
  | { readonly kind: "refused"; readonly flaw: Flaw };

/**
 * Follows one parentRef to the Gateway or ListenerSet it names. Whether a listener is served is not asked: a route stays
 * attached to a listener that waits for its certificate. `path` is that of the parentRef.
 */
export function attachRoute(
  world: World,
  parent: RouteParent,
  { ref, path, route }: { readonly ref: ParentRef; readonly path: string; readonly route: AttachingRoute },
): AttachResult {
  if ("set" in parent && parent.flaws.length > 0) return { kind: "refused", flaw: toStrayParent(parent, path) };
  const named = parent.listeners.filter(
    ({ spec }) => (ref.sectionName ?? spec.name) === spec.name && (ref.port ?? spec.port) === spec.port,
  );
  if (named.length === 0) return { kind: "refused", flaw: toNoMatchingParent(parent, ref, path) };
  const carrying = named.filter(({ kinds }) =>
    kinds.some(({ group, kind }) => group === route.group && kind === route.kind),
  );
  const allowing = carrying.filter(({ spec, owner }) =>
    admitsNamespace(world, spec.allowedRoutes.namespaces, { home: owner.namespace, namespace: route.namespace }),
  );
  if (allowing.length === 0) {
    const cause = carrying.length === 0 ? `routes of kind ${route.kind}` : `routes of the namespace ${route.namespace}`;
    return { kind: "refused", flaw: toNotAllowed(parent, path, cause) };
  }
  const attachments = allowing.flatMap((listener): Attachment[] => {
    const hostnames = shareHostnames(listener.hostname ?? ANY_HOST, route.hostnames);
    return hostnames.length === 0 ? [] : [{ listener, hostnames }];
  });
  if (attachments.length === 0) return { kind: "refused", flaw: toNoMatchingHostname(route, allowing) };
  return { kind: "attached", attachments };
}

function shareHostnames(listener: string, route: readonly string[]): string[] {
  const wanted = route.length === 0 ? [ANY_HOST] : route;
  const shared = wanted.map((hostname) => intersectHostnames(listener, hostname));
  return [...new Set(shared.filter((hostname) => hostname !== undefined))];
}

/** A ListenerSet that its Gateway does not let in is no part of any Gateway. */
function toStrayParent(parent: ListenerSetPlan, path: string): Flaw {
  const causes = parent.flaws.map(({ message }) => message).join("; ");
  return {
    reason: "NoMatchingParent",
    code: "not-attached",
    path,
    message: `the ${tellOwner(parent.set)} is not attached to a Gateway: ${causes}`,
  };
}

function toNoMatchingParent(parent: RouteParent, ref: ParentRef, path: string): Flaw {
  const { listeners } = parent;
  const names = listeners.map(({ spec }) => spec.name);
  const isKnown = ref.sectionName !== undefined && names.includes(ref.sectionName);
  const isByName = ref.sectionName !== undefined && !isKnown;
  const what = [
    ...(ref.sectionName === undefined ? [] : [`name ${ref.sectionName}`]),
    ...(ref.port === undefined ? [] : [`port ${ref.port}`]),
  ].join(" and ");
  const ports = [...new Set(listeners.map(({ spec }) => spec.port))].join(", ");
  return {
    reason: "NoMatchingParent",
    code: "not-attached",
    path: isByName ? `${path}.sectionName` : `${path}.port`,
    message: `the ${tellOwner(toParentObject(parent))} has no listener of ${what}`,
    ...(isByName ? hintName(ref.sectionName, names) : { hint: `its ports are ${ports}` }),
  };
}

function toNotAllowed(parent: RouteParent, path: string, cause: string): Flaw {
  return {
    reason: "NotAllowedByListeners",
    code: "not-attached",
    path,
    message: `no listener that it names of the ${tellOwner(toParentObject(parent))} allows ${cause}`,
    hint: "the listener says in allowedRoutes whose routes it takes",
  };
}

function toNoMatchingHostname({ hostnames }: AttachingRoute, listeners: readonly ListenerPlan[]): Flaw {
  const offered = listeners.map(({ hostname }) => hostname ?? ANY_HOST);
  return {
    reason: "NoMatchingListenerHostname",
    code: "not-attached",
    path: "spec.hostnames",
    message: `none of its hostnames (${hostnames.join(", ")}) is served by the listeners that it names (${offered.join(", ")})`,
  };
}
