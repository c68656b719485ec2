/** Conditions of one object, listener or parent: ours and those that others keep beside them (KEP-1623). */
import { isRecord } from "../kube/field-path.ts";
import { type JsonObject, toObjects } from "../kube/json.ts";

/** What merging needs to know besides both lists. */
export interface ConditionMerge {
  /** Types that we write at this place: they go when they are not wanted any more. */
  readonly ours: ReadonlySet<string>;
  /** RFC 3339, the time of conditions whose status changes. */
  readonly now: string;
}

/** The API allows no more conditions in one list. */
const MOST_CONDITIONS = 8;
/** The API allows no more characters in a message. */
const LONGEST_MESSAGE = 32_768;
const ELLIPSIS = "...";

/**
 * The conditions to write: those of `live` in their order, with ours as wanted, then new ones. A condition keeps its
 * lastTransitionTime while its status stays. Where the list would be too long, the last ones of others have no room.
 */
export function mergeConditions(live: unknown, wanted: unknown, { ours, now }: ConditionMerge): readonly JsonObject[] {
  const kept = toObjects(live);
  const missing = new Map(toObjects(wanted).map((condition) => [condition["type"], condition]));
  let room = MOST_CONDITIONS - missing.size;
  const merged: JsonObject[] = [];
  for (const condition of kept) {
    const type = condition["type"];
    const ourOwn = missing.get(type);
    if (ourOwn !== undefined) {
      missing.delete(type);
      merged.push(stamp(ourOwn, condition, now));
    } else if (!isOurs(type, ours) && !holds(merged, type) && room > 0) {
      room -= 1;
      merged.push(condition);
    }
  }
  return [...merged, ...[...missing.values()].map((condition) => stamp(condition, undefined, now))];
}

/** `live` without the conditions that say what `written` says; for what is not ours any more. */
export function withdrawConditions(live: unknown, written: unknown): readonly JsonObject[] {
  const said = new Map(toObjects(written).map((condition) => [condition["type"], condition]));
  return toObjects(live).filter((condition) => {
    const ourOwn = said.get(condition["type"]);
    return ourOwn === undefined || !isSame(ourOwn, condition);
  });
}

function isOurs(type: unknown, ours: ReadonlySet<string>): boolean {
  return typeof type !== "string" || ours.has(type);
}

function holds(conditions: readonly JsonObject[], type: unknown): boolean {
  return conditions.some((condition) => condition["type"] === type);
}

function isSame(one: JsonObject, other: JsonObject): boolean {
  return ["status", "reason", "observedGeneration"].every((name) => one[name] === other[name]);
}

/** With the time since which its status is what it is. */
function stamp(condition: JsonObject, live: JsonObject | undefined, now: string): JsonObject {
  const since = isRecord(live) && live["status"] === condition["status"] ? live["lastTransitionTime"] : undefined;
  const lastTransitionTime = typeof since === "string" ? since : now;
  const { message } = condition;
  return { ...condition, message: typeof message === "string" ? shorten(message) : "", lastTransitionTime };
}

/** Kubernetes counts code points, of which there are never more than UTF-16 units; no pair is cut apart. */
function shorten(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  return `${message.slice(0, LONGEST_MESSAGE - ELLIPSIS.length).replace(/[\uD800-\uDBFF]$/, "")}${ELLIPSIS}`;
}
