/** Statuses of Gateways and their listeners. */
import type { Problem } from "@sallyport/model/problem";
import { type Condition, type ConditionMaker, conditionsOf } from "../condition.ts";
import { toObjectRef, toProblem } from "../flaw.ts";
import type { ObjectStatus } from "../translator.ts";
import type { GatewayPlan, ListenerPlan, RouteKind } from "./gateway-plan.ts";

/** The status of one listener; `attachedRoutes` counts routes whatever becomes of the listener. */
interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly RouteKind[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** The status a Gateway should have. */
export function toGatewayStatus(plan: GatewayPlan, attachedRoutes: ReadonlyMap<ListenerPlan, number>): ObjectStatus {
  const conditions = conditionsOf(plan.gateway);
  const addresses = toAddresses(plan);
  return {
    object: toObjectRef(plan.gateway),
    status: {
      ...(addresses.length > 0 ? { addresses } : {}),
      conditions: judgeGateway(conditions, plan),
      listeners: plan.listeners.map((listener): ListenerStatus => ({
        name: listener.spec.name,
        supportedKinds: listener.kinds.map(({ group, kind }) => ({ group, kind })),
        attachedRoutes: attachedRoutes.get(listener) ?? 0,
        conditions: judgeListener(conditions, plan, listener),
      })),
    },
  };
}

/** The addresses that were asked for by value; what else it got is for those to say who gave it. */
function toAddresses({ gateway, flaws }: GatewayPlan): { readonly type: string; readonly value: string }[] {
  if (flaws.length > 0) return [];
  const asked = gateway.object.spec.addresses ?? [];
  return asked.flatMap(({ type, value = "" }) => (value === "" ? [] : [{ type, value }]));
}

/** Everything that is wrong with a Gateway, for the operator. */
export function toGatewayProblems(plan: GatewayPlan): Problem[] {
  const ofListeners = plan.listeners.flatMap(({ flaws, unresolved, conflict, remarks }) => [
    ...flaws,
    ...(conflict === undefined ? [] : [conflict]),
    ...unresolved,
    ...remarks,
  ]);
  return [...plan.flaws, ...plan.remarks, ...ofListeners].map((finding) => toProblem(plan.gateway, finding));
}

function isAccepted({ flaws, conflict }: ListenerPlan): boolean {
  return flaws.length === 0 && conflict === undefined;
}

function judgeGateway(conditions: ConditionMaker, plan: GatewayPlan): Condition[] {
  const programmed = plan.listeners.some(({ served }) => served)
    ? conditions.holds("Programmed", "Programmed", "at least one listener takes traffic")
    : conditions.fails("Programmed", "Invalid", "no listener takes traffic");
  return [judgeAcceptance(conditions, plan), programmed, judgeReferences(conditions, plan)];
}

function judgeAcceptance(conditions: ConditionMaker, { flaws, listeners }: GatewayPlan): Condition {
  const accepted = { reason: "Accepted", message: "the Gateway is served by this controller" };
  if (flaws.length > 0) return conditions.judge("Accepted", flaws, accepted);
  const bad = listeners.filter((listener) => !listener.served).map(({ spec }) => spec.name);
  if (bad.length === 0) return conditions.holds("Accepted", accepted.reason, accepted.message);
  const message = `listeners that are not served: ${bad.join(", ")}`;
  return listeners.some(isAccepted)
    ? conditions.holds("Accepted", "ListenersNotValid", message)
    : conditions.fails("Accepted", "ListenersNotValid", message);
}

function judgeReferences(conditions: ConditionMaker, { listeners }: GatewayPlan): Condition {
  const bad = listeners.filter(({ unresolved }) => unresolved.length > 0).map(({ spec }) => spec.name);
  return bad.length === 0
    ? conditions.holds("ResolvedRefs", "ResolvedRefs", "every reference was resolved")
    : conditions.fails(
        "ResolvedRefs",
        "ListenersNotResolved",
        `listeners with unresolved references: ${bad.join(", ")}`,
      );
}

function judgeListener(conditions: ConditionMaker, plan: GatewayPlan, listener: ListenerPlan): Condition[] {
  const { flaws, conflict, unresolved, overlaps } = listener;
  const acceptance = [...flaws, ...(conflict === undefined ? [] : [conflict])];
  const judged = [
    conditions.judge("Accepted", acceptance, { reason: "Accepted", message: "the listener is valid" }),
    judgeProgramming(conditions, plan, listener),
    conditions.judge("ResolvedRefs", unresolved, { reason: "ResolvedRefs", message: "every reference was resolved" }),
    conflict === undefined
      ? conditions.fails("Conflicted", "NoConflicts", "no other listener claims what this one serves")
      : conditions.holds("Conflicted", conflict.reason, conflict.message),
  ];
  // A condition of negative polarity that must not be there while it is false.
  if (overlaps.length === 0) return judged;
  const message = `clients may reuse connections between it and listeners of overlapping hostnames: ${overlaps.join(", ")}`;
  return [...judged, conditions.holds("OverlappingTLSConfig", "OverlappingHostnames", message)];
}

function judgeProgramming(conditions: ConditionMaker, plan: GatewayPlan, listener: ListenerPlan): Condition {
  if (listener.served) return conditions.holds("Programmed", "Programmed", "the listener takes traffic");
  if (listener.conflict !== undefined) return conditions.judge("Programmed", [listener.conflict], NEVER);
  const message =
    plan.flaws.length > 0 ? "its Gateway is not accepted" : "the listener takes no traffic until it is valid";
  return conditions.fails("Programmed", "Invalid", message);
}

/** What a judgement over at least one flaw never says. */
const NEVER = { reason: "Programmed", message: "" };
