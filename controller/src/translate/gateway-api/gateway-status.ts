/** Statuses of Gateways, with those of their listeners. */
import type { Problem } from "@sallyport/model/problem";
import { type Condition, type ConditionMaker, conditionsOf, tellFlaws } from "../condition.ts";
import { toObjectRef, toProblem } from "../flaw.ts";
import type { ObjectStatus, ProxyObstacle } from "../translator.ts";
import { NOT_USABLE } from "./gateway-addresses.ts";
import { type GatewayPlan, isAccepted, type ListenerPlan } from "./gateway-plan.ts";
import { findInsecureFallbacks } from "./listener-client-validation.ts";
import { isSetAccepted } from "./listener-set-status.ts";
import { type GatewayFacts, dropRepeats, findingsOf, type ListenerPlace, toListenerStatus } from "./listener-status.ts";

/** The status a Gateway should have. */
export function toGatewayStatus(plan: GatewayPlan, facts: GatewayFacts): ObjectStatus {
  const conditions = conditionsOf(plan.gateway);
  const addresses = plan.flaws.length > 0 ? [] : plan.addresses.given;
  const place: ListenerPlace = {
    attachedRoutes: facts.attachedRoutes,
    obstacle: plan.flaws.length > 0 ? "its Gateway is not accepted" : undefined,
    proxyObstacle: facts.obstacles[0],
  };
  return {
    object: toObjectRef(plan.gateway),
    status: {
      ...(addresses.length > 0 ? { addresses } : {}),
      // Who has none and wants none has no use for a zero.
      ...(plan.sets.length > 0 ? { attachedListenerSets: countSets(plan) } : {}),
      conditions: judgeGateway(conditions, plan, facts),
      listeners: plan.listeners.map((listener) => toListenerStatus(conditions, listener, place)),
    },
  };
}

/** Those that are accepted. */
function countSets(plan: GatewayPlan): number {
  return plan.sets.filter((set) => isSetAccepted(plan, set)).length;
}

/** Everything that is wrong with a Gateway, for the operator. */
export function toGatewayProblems(plan: GatewayPlan): Problem[] {
  const findings = [...plan.flaws, ...plan.unresolved, ...plan.remarks, ...plan.listeners.flatMap(findingsOf)];
  return dropRepeats(findings).map((finding) => toProblem(plan.gateway, finding));
}

function judgeGateway(conditions: ConditionMaker, plan: GatewayPlan, { obstacles }: GatewayFacts): Condition[] {
  const judged = [
    judgeAcceptance(conditions, plan),
    judgeProgramming(conditions, plan, obstacles),
    judgeReferences(conditions, plan),
  ];
  const insecure = findInsecureFallbacks(plan.gateway.object.spec);
  // A condition of negative polarity that must not be there while it is false.
  if (insecure.length === 0) return judged;
  const message = `clients are let in without a valid certificate by ${insecure.join(", ")}`;
  return [...judged, conditions.holds("InsecureFrontendValidationMode", "ConfigurationChanged", message)];
}

/** That an address cannot be had is for the user to change; that there is none yet may be for lack of what brings traffic there. */
function judgeProgramming(
  conditions: ConditionMaker,
  plan: GatewayPlan,
  obstacles: readonly ProxyObstacle[],
): Condition {
  const { missing } = plan.addresses;
  const [obstacle] = obstacles;
  if (!listenersOf(plan).some(({ served }) => served))
    return conditions.fails("Programmed", "Invalid", "no listener takes traffic");
  if (obstacle !== undefined && missing[0]?.reason !== NOT_USABLE) {
    const messages = obstacles.map(({ message }) => message).join("; ");
    return conditions.fails("Programmed", obstacle.reason, messages);
  }
  return conditions.judge("Programmed", missing, {
    reason: "Programmed",
    message: "at least one listener takes traffic",
  });
}

/** Its own and those of its ListenerSets. */
function listenersOf({ listeners, sets }: GatewayPlan): readonly ListenerPlan[] {
  const admitted = sets.filter(({ flaws }) => flaws.length === 0);
  return [listeners, ...admitted.map((set) => set.listeners)].flat();
}

function judgeAcceptance(conditions: ConditionMaker, plan: GatewayPlan): Condition {
  const accepted = { reason: "Accepted", message: "the Gateway is served by this controller" };
  if (plan.flaws.length > 0) return conditions.judge("Accepted", plan.flaws, accepted);
  const bad = plan.listeners.filter((listener) => !listener.served).map(({ spec }) => spec.name);
  if (bad.length === 0) return conditions.holds("Accepted", accepted.reason, accepted.message);
  const message = `listeners that are not served: ${bad.join(", ")}`;
  return listenersOf(plan).some(isAccepted)
    ? conditions.holds("Accepted", "ListenersNotValid", message)
    : conditions.fails("Accepted", "ListenersNotValid", message);
}

/** References of the Gateway itself come first: what its listeners say of theirs stands with the listeners. */
function judgeReferences(conditions: ConditionMaker, { unresolved, listeners }: GatewayPlan): Condition {
  const bad = listeners.filter((listener) => listener.unresolved.length > 0).map(({ spec }) => spec.name);
  const ofListeners = bad.length === 0 ? [] : [`listeners with unresolved references: ${bad.join(", ")}`];
  const [own] = unresolved;
  const message = [...(own === undefined ? [] : [tellFlaws(unresolved)]), ...ofListeners].join("; ");
  return message === ""
    ? conditions.holds("ResolvedRefs", "ResolvedRefs", "every reference was resolved")
    : conditions.fails("ResolvedRefs", own?.reason ?? "ListenersNotResolved", message);
}
