/** Traffic policies that a route meets: where it hangs, by itself, and by the Services it names. */
import type { HTTPRouteBackendObjectRef } from "../../kube/generated/types/http-route.ts";
import type { WorldObject } from "../../world/world.ts";
import { GATEWAY_API } from "../grants.ts";
import { findHolder, findHolders, type TargetRef } from "../policy/attachment.ts";
import { toFingerprint, toLayers, type TrafficLayer, type TrafficPolicies } from "../traffic/policies.ts";
import { findParent, type GatewayPlans } from "./gateway.ts";
import type { RouteObject } from "./route-parents.ts";

/** Policies that are less specific than Services, the most specific first. */
export type ListenerPolicies = readonly WorldObject<"BackendTrafficPolicy">[];

/** The layer of a route as a whole. */
export function findRouteLayers(
  { own }: TrafficPolicies,
  { kind, namespace, name }: RouteObject,
): readonly TrafficLayer[] {
  return own.size === 0 ? [] : toLayers([findHolder(own, namespace, { group: GATEWAY_API, kind, name })]);
}

/**
 * Stands for all policies that may matter to a route, a few more than do: as long as these are the same, no policy makes a difference
 * to it.
 */
export function fingerprintPolicies(
  { own, x }: TrafficPolicies,
  gateways: GatewayPlans,
  subject: RouteObject,
): readonly string[] {
  if (own.size === 0 && x.size === 0) return NONE;
  const services = recallServices(subject);
  const found = new Set<string>();
  for (const { namespace, ref } of services) {
    for (const policy of findHolders(own, namespace, ref)) found.add(toFingerprint(policy));
    for (const policy of findHolders(x, namespace, ref)) found.add(toFingerprint(policy));
  }
  if (own.size > 0) {
    for (const { namespace, ref } of [...ownTargets(subject), ...listenerTargets(gateways, subject)]) {
      const isWhole = ref.sectionName === ANY_SECTION;
      const policies = isWhole ? findHolders(own, namespace, ref) : [findHolder(own, namespace, ref)];
      for (const policy of policies) if (policy !== undefined) found.add(toFingerprint(policy));
    }
  }
  return found.size === 0 ? NONE : [...found];
}

const NONE: readonly string[] = [];

interface PlacedRef {
  readonly namespace: string;
  readonly ref: TargetRef;
}

/** No section has this name: stands for all of them. */
const ANY_SECTION = "*";

/** The route and its rules that have names. */
function ownTargets({ kind, namespace, name, object }: RouteObject): PlacedRef[] {
  if (kind !== "HTTPRoute" && kind !== "GRPCRoute") return [];
  const whole = { group: GATEWAY_API, kind, name };
  const names = (object.spec.rules ?? []).flatMap((rule) => rule.name ?? []);
  return [whole, ...names.map((sectionName) => ({ ...whole, sectionName }))].map((ref) => ({ namespace, ref }));
}

/** What it hangs on: all listeners where it names none. */
function listenerTargets(gateways: GatewayPlans, { namespace: home, object }: RouteObject): PlacedRef[] {
  return (object.spec.parentRefs ?? []).flatMap((ref): PlacedRef[] => {
    const found = findParent(gateways, ref, home);
    if (found === undefined) return [];
    const { kind, name, namespace = home, sectionName = ANY_SECTION } = ref;
    const { gateway } = found.gateway;
    const parent = { group: GATEWAY_API, kind, name };
    return [
      { namespace, ref: { ...parent, sectionName } },
      ...(sectionName === ANY_SECTION ? [] : [{ namespace, ref: parent }]),
      { namespace: gateway.namespace, ref: { group: GATEWAY_API, kind: "Gateway", name: gateway.name } },
    ];
  });
}

const servicesOf = new WeakMap<RouteObject, readonly PlacedRef[]>();

function recallServices(subject: RouteObject): readonly PlacedRef[] {
  const known = servicesOf.get(subject) ?? findServices(subject);
  servicesOf.set(subject, known);
  return known;
}

/** All Services that its backends and mirrors name. */
function findServices({ namespace: home, object }: RouteObject): readonly PlacedRef[] {
  const places = new Map<string, PlacedRef>();
  for (const ref of backendsOf(object)) {
    const { group, kind, namespace = home, name } = ref;
    if (group === "" && kind === "Service")
      places.set(`${namespace}/${name}`, { namespace, ref: { group, kind, name } });
  }
  return [...places.values()];
}

function backendsOf({ spec }: RouteObject["object"]): readonly HTTPRouteBackendObjectRef[] {
  return (spec.rules ?? []).flatMap((rule) => {
    const refs: readonly (HTTPRouteBackendObjectRef & { readonly filters?: readonly Mirroring[] })[] =
      rule.backendRefs ?? [];
    const filters: readonly Mirroring[] = "filters" in rule ? (rule.filters ?? []) : [];
    const all = [...filters, ...refs.flatMap((ref) => ref.filters ?? [])];
    return [...refs, ...all.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? [])];
  });
}

interface Mirroring {
  readonly requestMirror?: { readonly backendRef: HTTPRouteBackendObjectRef };
}
