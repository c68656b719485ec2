/** Gateways of our classes with their ListenerSets: each judged by itself, then all of them together. */
import type { Problem } from "@sallyport/model/problem";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, type Flaw, hintObject, toProblem } from "../flaw.ts";
import type { TranslateOptions } from "../translator.ts";
import type { ParentRef } from "./attach.ts";
import { findConflicts } from "./conflicts.ts";
import { draftGateway } from "./gateway-draft.ts";
import type { GatewayDraft, GatewayPlan, ListenerDraft, ListenerPlan, RouteParent } from "./gateway-plan.ts";
import { GATEWAY_API } from "../grants.ts";
import { findOverlaps } from "./listener-overlaps.ts";
import { groupListenerSets } from "./listener-sets.ts";

/** All Gateways of ours, and what is to say of those that name no class at all. */
export interface GatewayPlans {
  /** By `namespace/name`. */
  readonly byKey: ReadonlyMap<string, GatewayPlan>;
  /** ListenerSets that name a Gateway of ours, by their own `namespace/name`. */
  readonly setsByKey: ReadonlyMap<string, FoundParent>;
  readonly problems: readonly Problem[];
}

/** A parent of routes, and the Gateway it is or belongs to. */
export interface FoundParent {
  readonly parent: RouteParent;
  readonly gateway: GatewayPlan;
}

/** Judges every Gateway whose class is ours. */
export function planGateways(world: World, options: TranslateOptions): GatewayPlans {
  const drafts: GatewayDraft[] = [];
  const { byGateway, problems: strays } = groupListenerSets(world);
  const problems = [...strays];
  for (const gateway of world.list("Gateway")) {
    const gatewayClass = world.get("GatewayClass", "", gateway.object.spec.gatewayClassName);
    if (gatewayClass === undefined) problems.push(toProblem(gateway, toMissingClass(world, gateway)));
    else if (gatewayClass.object.spec.controllerName === options.controllerName) {
      const sets = byGateway.get(toGatewayKey(gateway)) ?? [];
      drafts.push(draftGateway(world, options, { gateway, gatewayClass, sets }));
    }
  }
  const conflicts = findConflicts(drafts, options.proxies !== undefined);
  const plans = drafts.map((draft) => planGateway(draft, conflicts, options));
  return {
    byKey: new Map(plans.map((plan) => [toGatewayKey(plan.gateway), plan])),
    setsByKey: new Map(
      plans.flatMap((gateway) => gateway.sets.map((parent) => [toGatewayKey(parent.set), { parent, gateway }])),
    ),
    problems,
  };
}

/** `namespace/name`. */
export function toGatewayKey({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** The Gateway or ListenerSet of ours that a route in `namespace` names; undefined where it is not ours or not there. */
export function findParent(plans: GatewayPlans, ref: ParentRef, namespace: string): FoundParent | undefined {
  if (ref.group !== GATEWAY_API) return undefined;
  const key = toGatewayKey({ namespace: ref.namespace ?? namespace, name: ref.name });
  if (ref.kind === "ListenerSet") return plans.setsByKey.get(key);
  const gateway = ref.kind === "Gateway" ? plans.byKey.get(key) : undefined;
  return gateway && { parent: gateway, gateway };
}

function planGateway(
  draft: GatewayDraft,
  conflicts: ReadonlyMap<ListenerDraft, Flaw>,
  { proxies }: TranslateOptions,
): GatewayPlan {
  const sets = draft.sets.filter(({ flaws }) => flaws.length === 0);
  const overlaps = findOverlaps([...draft.listeners, ...sets.flatMap(({ listeners }) => listeners)]);
  const plan = (listener: ListenerDraft, isWanted: boolean): ListenerPlan => {
    const conflict = conflicts.get(listener);
    const isSound = isWanted && listener.flaws.length === 0 && conflict === undefined;
    return { ...listener, conflict, overlaps: overlaps.get(listener) ?? [], served: isSound && canServe(listener) };
  };
  const isWanted = draft.flaws.length === 0;
  return {
    ...draft,
    listeners: draft.listeners.map((listener) => plan(listener, isWanted)),
    sets: draft.sets.map((set) => ({
      ...set,
      listeners: set.listeners.map((listener) => plan(listener, isWanted && set.flaws.length === 0)),
    })),
    obstacles: proxies?.obstaclesOf(toGatewayKey(draft.gateway)) ?? [],
  };
}

function canServe({ protocol, tls, certificates }: ListenerDraft): boolean {
  return protocol !== undefined && (tls === undefined || certificates.length > 0);
}

function toMissingClass(world: World, { object: { spec } }: WorldObject<"Gateway">): Finding {
  const { hint = "add a GatewayClass that names the controller" } = hintObject(
    spec.gatewayClassName,
    world.list("GatewayClass"),
  );
  return {
    code: "unresolved-reference",
    path: "spec.gatewayClassName",
    message: `there is no GatewayClass ${spec.gatewayClassName}, so nobody serves this Gateway`,
    hint,
  };
}
