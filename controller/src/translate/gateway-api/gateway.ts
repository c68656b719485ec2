/** Gateways of our classes with their ListenerSets: each judged by itself, then all of them together. */
import type { Problem } from "@sallyport/model/problem";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, type Flaw, hintObject, toProblem } from "../flaw.ts";
import { isAsBefore, Recollection } from "../recollection.ts";
import type { TranslateOptions } from "../translator.ts";
import type { ParentRef } from "./attach.ts";
import { findConflicts } from "./conflicts.ts";
import { draftGateway, type GatewayParts } from "./gateway-draft.ts";
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
  const known: KnownParts = new Map();
  for (const gateway of world.list("Gateway")) {
    const gatewayClass = world.get("GatewayClass", "", gateway.object.spec.gatewayClassName);
    if (gatewayClass === undefined) problems.push(toProblem(gateway, toMissingClass(world, gateway)));
    else if (gatewayClass.object.spec.controllerName === options.controllerName) {
      const sets = byGateway.get(toGatewayKey(gateway)) ?? [];
      drafts.push(recallDraft(world, options, toKnownParts(known, { gateway, gatewayClass, sets })));
    }
  }
  for (const [gatewayClass, ofClass] of known) knownParts.set(gatewayClass, ofClass);
  const conflicts = findConflicts(drafts, options.proxies !== undefined);
  const plans = drafts.map((draft) => recallPlan(world, draft, conflicts));
  return { ...recallIndex(plans), problems };
}

/** Plans by what they are named by. */
type GatewayIndex = Omit<GatewayPlans, "problems">;

const indexes = new WeakMap<GatewayPlan, { readonly plans: readonly GatewayPlan[]; readonly index: GatewayIndex }>();

/** The same as long as no plan is another, so that of thousands of routes none need look at its parents again. */
function recallIndex(plans: readonly GatewayPlan[]): GatewayIndex {
  const [first] = plans;
  const known = first && indexes.get(first);
  if (known?.plans.length === plans.length && known.plans.every((plan, place) => plan === plans[place]))
    return known.index;
  const index: GatewayIndex = {
    byKey: new Map(plans.map((plan) => [toGatewayKey(plan.gateway), plan])),
    setsByKey: new Map(
      plans.flatMap((gateway) => gateway.sets.map((parent) => [toGatewayKey(parent.set), { parent, gateway }])),
    ),
  };
  if (first !== undefined) indexes.set(first, { plans, index });
  return index;
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

/** What Gateways consist of, by class and `namespace/name`. */
type KnownParts = Map<WorldObject<"GatewayClass">, Map<string, GatewayParts>>;

/** As of the last translation: Gateways that are gone since then are forgotten with the next one. */
const knownParts = new WeakMap<WorldObject<"GatewayClass">, ReadonlyMap<string, GatewayParts>>();

/**
 * The objects as they were when their Gateway was last looked at, where only statuses differ. Every route that comes and goes
 * changes a status of its Gateway, which must not make all the others start over.
 */
function toKnownParts(known: KnownParts, { gateway, gatewayClass, sets }: GatewayParts): GatewayParts {
  const key = toGatewayKey(gateway);
  const before = knownParts.get(gatewayClass)?.get(key);
  const setsBefore = new Map(before?.sets.map((set) => [toGatewayKey(set), set]));
  const parts: GatewayParts = {
    gatewayClass,
    gateway: before !== undefined && isAsBefore(before.gateway, gateway) ? before.gateway : gateway,
    sets: sets.map((set) => {
      const setBefore = setsBefore.get(toGatewayKey(set));
      return setBefore !== undefined && isAsBefore(setBefore, set) ? setBefore : set;
    }),
  };
  const ofClass = known.get(gatewayClass) ?? new Map<string, GatewayParts>();
  known.set(gatewayClass, ofClass.set(key, parts));
  return parts;
}

const rememberedDrafts = new Recollection<WorldObject<"Gateway">, GatewayDraft>();

/** A Gateway that did not change keeps its draft and its plan, for what is remembered of routes names them. */
function recallDraft(world: World, options: TranslateOptions, parts: GatewayParts): GatewayDraft {
  const { gateway, gatewayClass, sets } = parts;
  const { toBindPort, bindAddress, proxies } = options;
  const inputs = (): readonly unknown[] => [gatewayClass, toBindPort, bindAddress, proxies === undefined, ...sets];
  return rememberedDrafts.recall(gateway, { world, inputs }, (reader) => draftGateway(reader, options, parts));
}

const rememberedPlans = new Recollection<GatewayDraft, GatewayPlan>();

function recallPlan(world: World, draft: GatewayDraft, conflicts: ReadonlyMap<ListenerDraft, Flaw>): GatewayPlan {
  const listeners = [...draft.listeners, ...draft.sets.flatMap((set) => set.listeners)];
  // Conflicts are made anew each time, so that their words are what counts.
  const inputs = (): readonly unknown[] => listeners.map((listener) => JSON.stringify(conflicts.get(listener)));
  return rememberedPlans.recall(draft, { world, inputs }, () => planGateway(draft, conflicts));
}

function planGateway(draft: GatewayDraft, conflicts: ReadonlyMap<ListenerDraft, Flaw>): GatewayPlan {
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
