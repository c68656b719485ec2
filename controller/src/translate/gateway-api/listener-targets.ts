/** Targets of policies that are Gateways, ListenerSets or listeners of these: whether they are there, ours, and who has them. */
import type { World } from "../../world/world.ts";
import { type Flaw, hintName, hintObject } from "../flaw.ts";
import { GATEWAY_API } from "../grants.ts";
import {
  type AncestorRef,
  type AttachedPolicy,
  findHolder,
  type PolicyIndex,
  type TargetRef,
} from "../policy/attachment.ts";
import { findParent, type GatewayPlans } from "./gateway.ts";
import type { GatewayPlan, ListenerPlan } from "./gateway-plan.ts";

/** What a target comes to. */
export type FoundTarget =
  /** It is another controller's: nothing is to be said of it. */
  | { readonly kind: "foreign" }
  | { readonly kind: "missing"; readonly flaw: Flaw }
  | { readonly kind: "found"; readonly gateways: readonly GatewayPlan[] };

/** Looks for a target of the kinds Gateway and ListenerSet. `path` is that of the reference. */
export function findListenerTarget(
  world: World,
  gateways: GatewayPlans,
  { namespace, ref, path }: { readonly namespace: string; readonly ref: TargetRef; readonly path: string },
): FoundTarget {
  const { kind, name, sectionName } = ref;
  if (kind !== "Gateway" && kind !== "ListenerSet") return { kind: "foreign" };
  if (world.get(kind, namespace, name) === undefined) {
    const hint = hintObject(name, world.list(kind, namespace));
    return toMissing(`${path}.name`, `there is no ${kind} ${name} in the namespace ${namespace}`, hint);
  }
  const found = findParent(gateways, { group: GATEWAY_API, kind, namespace, name }, namespace);
  if (found === undefined) return { kind: "foreign" };
  const names = found.parent.listeners.map(({ spec }) => spec.name);
  if (sectionName !== undefined && sectionName !== "" && !names.includes(sectionName)) {
    const message = `the ${kind} ${namespace}/${name} has no listener ${sectionName}`;
    return toMissing(`${path}.sectionName`, message, hintName(sectionName, names));
  }
  return { kind: "found", gateways: [found.gateway] };
}

function toMissing(path: string, message: string, hint: { readonly hint?: string }): FoundTarget {
  return { kind: "missing", flaw: { reason: "TargetNotFound", code: "unresolved-reference", path, message, ...hint } };
}

/** The policies in force on a listener, the most specific first: its own, that of its ListenerSet, that of its Gateway. */
export function findListenerPolicies<P extends AttachedPolicy>(
  index: PolicyIndex<P>,
  gateway: GatewayPlan,
  listener?: ListenerPlan,
): readonly P[] {
  const { kind: gatewayKind, namespace, name } = gateway.gateway;
  const ofGateway = findHolder(index, namespace, { group: GATEWAY_API, kind: gatewayKind, name });
  if (listener === undefined) return ofGateway === undefined ? [] : [ofGateway];
  const { owner, spec } = listener;
  const ownerRef = { group: GATEWAY_API, kind: owner.kind, name: owner.name };
  const found = [
    findHolder(index, owner.namespace, { ...ownerRef, sectionName: spec.name }),
    owner.kind === "ListenerSet" ? findHolder(index, owner.namespace, ownerRef) : undefined,
    ofGateway,
  ];
  return found.filter((policy) => policy !== undefined);
}

/** A Gateway as the ancestor of a policy. */
export function toGatewayRef({ gateway: { kind, namespace, name } }: GatewayPlan): AncestorRef {
  return { group: GATEWAY_API, kind, namespace, name };
}
