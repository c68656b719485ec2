/** Statuses of ListenerSets, with those of their listeners. */
import type { Problem } from "@sallyport/model/problem";
import { type Condition, type ConditionMaker, conditionsOf } from "../condition.ts";
import { toObjectRef, toProblem } from "../flaw.ts";
import type { ObjectStatus } from "../translator.ts";
import { type GatewayPlan, type ListenerSetPlan, tellOwner } from "./gateway-plan.ts";
import { type GatewayFacts, dropRepeats, findingsOf, type ListenerPlace, toListenerStatus } from "./listener-status.ts";

/**
 * Whether the set is a part of its Gateway: it is let in, and at least one of its listeners is valid. One that lacks its
 * certificate is not, though it is accepted itself.
 */
export function isSetAccepted(gateway: GatewayPlan, set: ListenerSetPlan): boolean {
  return set.flaws.length === 0 && gateway.flaws.length === 0 && set.listeners.some(({ served }) => served);
}

/** The status a ListenerSet should have. */
export function toListenerSetStatus(
  gateway: GatewayPlan,
  plan: ListenerSetPlan,
  { attachedRoutes, obstacles }: GatewayFacts,
): ObjectStatus {
  const conditions = conditionsOf(plan.set);
  const place: ListenerPlace = {
    attachedRoutes,
    obstacle: findObstacle(gateway, plan),
    proxyObstacle: obstacles[0],
  };
  return {
    object: toObjectRef(plan.set),
    status: {
      conditions: [
        judgeAcceptance(conditions, gateway, plan),
        judgeProgramming(conditions, { gateway, plan, obstacle: place.proxyObstacle }),
      ],
      listeners: plan.listeners.map((listener) => toListenerStatus(conditions, listener, place)),
    },
  };
}

/** Everything that is wrong with a ListenerSet, for the operator. */
export function toListenerSetProblems({ set, flaws, listeners }: ListenerSetPlan): Problem[] {
  // What is wrong with the listeners of a set that is not let in is for later.
  const findings = flaws.length > 0 ? flaws : listeners.flatMap(findingsOf);
  return dropRepeats(findings).map((finding) => toProblem(set, finding));
}

function findObstacle(gateway: GatewayPlan, { flaws }: ListenerSetPlan): string | undefined {
  if (flaws.length > 0) return "its ListenerSet is not let in by the Gateway";
  return gateway.flaws.length > 0 ? "the Gateway is not accepted" : undefined;
}

function judgeAcceptance(conditions: ConditionMaker, gateway: GatewayPlan, plan: ListenerSetPlan): Condition {
  const accepted = { reason: "Accepted", message: "the listeners are part of the Gateway" };
  if (plan.flaws.length > 0) return conditions.judge("Accepted", plan.flaws, accepted);
  if (gateway.flaws.length > 0) return conditions.fails("Accepted", "ParentNotAccepted", toParentMessage(gateway));
  const bad = tellUnserved(plan);
  if (bad === undefined) return conditions.holds("Accepted", accepted.reason, accepted.message);
  return isSetAccepted(gateway, plan)
    ? conditions.holds("Accepted", "ListenersNotValid", bad)
    : conditions.fails("Accepted", "ListenersNotValid", bad);
}

function judgeProgramming(
  conditions: ConditionMaker,
  {
    gateway,
    plan,
    obstacle,
  }: {
    readonly gateway: GatewayPlan;
    readonly plan: ListenerSetPlan;
    readonly obstacle: ListenerPlace["proxyObstacle"];
  },
): Condition {
  const programmed = { reason: "Programmed", message: "at least one listener takes traffic" };
  if (plan.flaws.length > 0) return conditions.judge("Programmed", plan.flaws, programmed);
  if (gateway.flaws.length > 0) return conditions.fails("Programmed", "ParentNotProgrammed", toParentMessage(gateway));
  if (plan.listeners.some(({ served }) => served)) {
    if (obstacle !== undefined) return conditions.fails("Programmed", "ParentNotProgrammed", obstacle.message);
    return conditions.holds("Programmed", programmed.reason, programmed.message);
  }
  return conditions.fails("Programmed", "ListenersNotValid", tellUnserved(plan) ?? "");
}

function toParentMessage({ gateway }: GatewayPlan): string {
  return `the ${tellOwner(gateway)} is not accepted`;
}

function tellUnserved({ listeners }: ListenerSetPlan): string | undefined {
  const bad = listeners.filter(({ served }) => !served).map(({ spec }) => spec.name);
  return bad.length === 0 ? undefined : `listeners that are not served: ${bad.join(", ")}`;
}
