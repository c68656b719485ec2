/** The status of one listener, of a Gateway or of a ListenerSet. */
import type { Condition, ConditionMaker } from "../condition.ts";
import type { Finding } from "../flaw.ts";
import type { ProxyObstacle } from "../translator.ts";
import type { ListenerPlan, RouteKind } from "./gateway-plan.ts";
import { tellOverlaps } from "./listener-overlaps.ts";

/** The status of one listener; `attachedRoutes` counts routes whatever becomes of the listener. */
export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly RouteKind[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** How many routes hang on each listener. */
export type AttachedRoutes = ReadonlyMap<ListenerPlan, number>;

/** What is known of a Gateway besides its plan. */
export interface GatewayFacts {
  readonly attachedRoutes: AttachedRoutes;
  /** Why its proxies do not serve what they should. */
  readonly obstacles: readonly ProxyObstacle[];
}

/** What is known of a listener's surroundings. */
export interface ListenerPlace {
  readonly attachedRoutes: AttachedRoutes;
  /** Why nothing of its owner is served, if so. */
  readonly obstacle: string | undefined;
  /** Why its proxies do not serve what they should, if so. */
  readonly proxyObstacle: ProxyObstacle | undefined;
}

/** The status a listener should have. */
export function toListenerStatus(
  conditions: ConditionMaker,
  listener: ListenerPlan,
  place: ListenerPlace,
): ListenerStatus {
  return {
    name: listener.spec.name,
    supportedKinds: listener.kinds.map(({ group, kind }) => ({ group, kind })),
    attachedRoutes: place.attachedRoutes.get(listener) ?? 0,
    conditions: judgeListener(conditions, listener, place),
  };
}

/** Everything that is wrong with a listener. */
export function findingsOf({ flaws, unresolved, conflict, remarks }: ListenerPlan): Finding[] {
  return [...flaws, ...(conflict === undefined ? [] : [conflict]), ...unresolved, ...remarks];
}

/** What several listeners have in common is said once. */
export function dropRepeats(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.path}\0${finding.message}`, finding])).values()];
}

function judgeListener(conditions: ConditionMaker, listener: ListenerPlan, place: ListenerPlace): readonly Condition[] {
  const { flaws, conflict, unresolved, overlaps } = listener;
  const acceptance = [...flaws, ...(conflict === undefined ? [] : [conflict])];
  const judged = [
    conditions.judge("Accepted", acceptance, { reason: "Accepted", message: "the listener is valid" }),
    judgeProgramming(conditions, listener, place),
    conditions.judge("ResolvedRefs", unresolved, { reason: "ResolvedRefs", message: "every reference was resolved" }),
    conflict === undefined
      ? conditions.fails("Conflicted", "NoConflicts", "no other listener claims what this one serves")
      : conditions.holds("Conflicted", conflict.reason, conflict.message),
  ];
  // A condition of negative polarity that must not be there while it is false.
  if (overlaps.length === 0) return judged;
  const message = `clients may reuse connections between it and listeners of overlapping hostnames: ${tellOverlaps(listener, overlaps)}`;
  return [...judged, conditions.holds("OverlappingTLSConfig", "OverlappingHostnames", message)];
}

function judgeProgramming(
  conditions: ConditionMaker,
  { served, conflict }: ListenerPlan,
  { obstacle, proxyObstacle }: ListenerPlace,
): Condition {
  if (served && proxyObstacle !== undefined) {
    // A listener has no reason of its own for proxies that could not be made.
    const reason = proxyObstacle.reason === "NoResources" ? "Pending" : proxyObstacle.reason;
    return conditions.fails("Programmed", reason, proxyObstacle.message);
  }
  if (served) return conditions.holds("Programmed", "Programmed", "the listener takes traffic");
  if (conflict !== undefined) return conditions.judge("Programmed", [conflict], NEVER);
  return conditions.fails("Programmed", "Invalid", obstacle ?? "the listener takes no traffic until it is valid");
}

/** What a judgement over at least one flaw never says. */
const NEVER = { reason: "Programmed", message: "" };
