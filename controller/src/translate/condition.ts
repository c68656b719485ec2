/** Status conditions as Kubernetes writes them, without the time of transition: the writer of statuses knows the clock. */
import type { Kind, WorldObject } from "../world/world.ts";
import type { Flaw } from "./flaw.ts";

/** One condition of an object, a listener or a route's parent. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False";
  /** Generation of the object it was drawn from; absent where the object has none (a file). */
  readonly observedGeneration?: number;
  readonly reason: string;
  readonly message: string;
}

/** Draws the conditions of one object. */
export interface ConditionMaker {
  /** The condition holds. */
  holds(type: string, reason: string, message: string): Condition;
  /** The condition does not hold. */
  fails(type: string, reason: string, message: string): Condition;
  /** False with the reason of the first flaw and the words of all, or True with `reason` where there is none. */
  judge(
    type: string,
    flaws: readonly Flaw[],
    otherwise: { readonly reason: string; readonly message: string },
  ): Condition;
}

/** Conditions that carry the generation of `subject`. */
export function conditionsOf(subject: WorldObject<Kind>): ConditionMaker {
  const { generation } = subject.object.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const holds: ConditionMaker["holds"] = (type, reason, message) => ({
    type,
    status: "True",
    ...observed,
    reason,
    message,
  });
  const fails: ConditionMaker["fails"] = (type, reason, message) => ({
    type,
    status: "False",
    ...observed,
    reason,
    message,
  });
  return {
    holds,
    fails,
    judge(type, flaws, { reason, message }) {
      const [first] = flaws;
      return first === undefined ? holds(type, reason, message) : fails(type, first.reason, tellFlaws(flaws));
    },
  };
}

/** All flaws in one message; Kubernetes allows 32 KiB, people read less. */
export function tellFlaws(flaws: readonly Flaw[]): string {
  const told = flaws.slice(0, MOST_FLAWS).map((flaw) => `${flaw.path}: ${flaw.message}`);
  const rest = flaws.length - told.length;
  return rest > 0 ? `${told.join("; ")}; and ${rest} more` : told.join("; ");
}

const MOST_FLAWS = 8;
