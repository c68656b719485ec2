/** Parents of a route of any kind: which parentRefs lead to us, to which listeners, and why not. */
import type { HTTPRouteParentRef } from "../../kube/generated/types/http-route.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, hintObject } from "../flaw.ts";
import type { TrafficPolicies } from "../traffic/policies.ts";
import type { TranslateOptions } from "../translator.ts";
import { type AttachingRoute, type AttachResult, attachRoute, type ParentRef } from "./attach.ts";
import { findParent, type FoundParent, type GatewayPlans } from "./gateway.ts";
import type { GatewayPlan } from "./gateway-plan.ts";
import { GATEWAY_API } from "../grants.ts";

type RouteKindName = "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute";

/** A route of any kind. */
export type RouteObject = { readonly [K in RouteKindName]: WorldObject<K> }[RouteKindName];

/** What all routes are translated with. */
export interface RouteEnvironment {
  readonly world: World;
  readonly options: TranslateOptions;
  readonly gateways: GatewayPlans;
  readonly policies: TrafficPolicies;
}

/** One parentRef that names a parent of ours. */
export interface Parent {
  readonly ref: HTTPRouteParentRef;
  /** Path of the parentRef. */
  readonly path: string;
  /** The Gateway it names, or that of the ListenerSet it names. */
  readonly gateway: GatewayPlan;
  readonly result: AttachResult;
}

/** The parents of a route that are ours, and what is to say of the others. */
export interface FollowedParents {
  readonly parents: readonly Parent[];
  readonly findings: readonly Finding[];
}

/** What attachment asks of a route. */
export function toAttachingRoute(subject: RouteObject): AttachingRoute {
  const { spec } = subject.object;
  const hostnames = "hostnames" in spec ? spec.hostnames : undefined;
  return { group: GATEWAY_API, kind: subject.kind, namespace: subject.namespace, hostnames: hostnames ?? [] };
}

/** What each parentRef of a route leads to, undefined where that is not ours. */
export function findParents(gateways: GatewayPlans, { namespace, object }: RouteObject): (FoundParent | undefined)[] {
  return (object.spec.parentRefs ?? []).map((ref) => findParent(gateways, ref, namespace));
}

/** Follows all parentRefs of a route. Parents that belong to another controller are passed over without a word. */
export function followParents(
  { world, gateways }: Pick<RouteEnvironment, "world" | "gateways">,
  subject: RouteObject,
): FollowedParents {
  const { spec } = subject.object;
  const route = toAttachingRoute(subject);
  const parents: Parent[] = [];
  const findings: Finding[] = [];
  for (const [index, ref] of (spec.parentRefs ?? []).entries()) {
    const path = `spec.parentRefs[${index}]`;
    const found = findParent(gateways, ref, subject.namespace);
    if (found === undefined) findings.push(...explainStray(world, ref, { path, namespace: subject.namespace }));
    else {
      const result = attachRoute(world, found.parent, { ref, path, route });
      parents.push({ ref, path, gateway: found.gateway, result });
    }
  }
  if (spec.useDefaultGateways === "All") {
    const message = "default Gateways are not supported: name the Gateway in parentRefs";
    findings.push({ code: "not-attached", path: "spec.useDefaultGateways", message });
  }
  return { parents, findings };
}

/** Why a parentRef leads to no parent of ours: nothing where it may lead to another controller's. */
function explainStray(
  world: World,
  ref: ParentRef,
  { path, namespace: home }: { readonly path: string; readonly namespace: string },
): Finding[] {
  const { kind, name, namespace = home } = ref;
  if (ref.group !== GATEWAY_API || (kind !== "Gateway" && kind !== "ListenerSet")) {
    return [{ code: "not-attached", path, message: `a parent of kind ${kind} is not supported yet` }];
  }
  if (world.get(kind, namespace, name) !== undefined) return [];
  const elsewhere = world.list(kind).find((parent) => parent.name === name);
  const hint =
    elsewhere === undefined
      ? hintObject(name, world.list(kind, namespace))
      : { hint: `there is one in the namespace ${elsewhere.namespace}` };
  const message = `there is no ${kind} ${name} in the namespace ${namespace}`;
  return [{ code: "unresolved-reference", path: `${path}.name`, message, ...hint }];
}
