/** Which listeners a route hangs on: for each of its parentRefs the listeners that it names, that let it in and share a host. */
import type { World, WorldObject } from "../../world/world.ts";
import { type Flaw, hintName } from "../flaw.ts";
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import { selectsLabels } from "../label-selector.ts";
import type { GatewayPlan, ListenerPlan, RouteKind } from "./gateway-plan.ts";

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
 * Follows one parentRef to the Gateway it names. Whether a listener is served is not asked: a route stays attached to a
 * listener that waits for its certificate. `path` is that of the parentRef.
 */
export function attachRoute(
  world: World,
  plan: GatewayPlan,
  { ref, path, route }: { readonly ref: ParentRef; readonly path: string; readonly route: AttachingRoute },
): AttachResult {
  const named = plan.listeners.filter(
    ({ spec }) => (ref.sectionName ?? spec.name) === spec.name && (ref.port ?? spec.port) === spec.port,
  );
  if (named.length === 0) return { kind: "refused", flaw: toNoMatchingParent(plan, ref, path) };
  const carrying = named.filter(({ kinds }) =>
    kinds.some(({ group, kind }) => group === route.group && kind === route.kind),
  );
  const allowing = carrying.filter((listener) => allowsNamespace(world, plan.gateway, { listener, route }));
  if (allowing.length === 0) {
    const cause = carrying.length === 0 ? `routes of kind ${route.kind}` : `routes of the namespace ${route.namespace}`;
    return { kind: "refused", flaw: toNotAllowed(plan, path, cause) };
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

function allowsNamespace(
  world: World,
  gateway: WorldObject<"Gateway">,
  { listener, route }: { readonly listener: ListenerPlan; readonly route: AttachingRoute },
): boolean {
  const { from, selector } = listener.spec.allowedRoutes.namespaces;
  switch (from) {
    case "All":
      return true;
    case "Same":
      return route.namespace === gateway.namespace;
    case "Selector":
      return selector !== undefined && selectsLabels(selector, labelsOf(world, route.namespace));
    default:
      return false;
  }
}

/** Labels of a namespace; the API server labels each with its name, files and absent Namespace objects may not. */
function labelsOf(world: World, namespace: string): Readonly<Record<string, string>> {
  const labels = world.get("Namespace", "", namespace)?.object.metadata.labels;
  return { ...labels, "kubernetes.io/metadata.name": namespace };
}

function toNoMatchingParent({ gateway, listeners }: GatewayPlan, ref: ParentRef, path: string): Flaw {
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
    message: `the Gateway ${gateway.namespace}/${gateway.name} has no listener of ${what}`,
    ...(isByName ? hintName(ref.sectionName, names) : { hint: `its ports are ${ports}` }),
  };
}

function toNotAllowed({ gateway }: GatewayPlan, path: string, cause: string): Flaw {
  return {
    reason: "NotAllowedByListeners",
    code: "not-attached",
    path,
    message: `no listener that it names of the Gateway ${gateway.namespace}/${gateway.name} allows ${cause}`,
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
