/** Lists in which each controller has entries of its own: parents of a route, ancestors of a policy. */
import { type JsonObject, toObjects } from "../kube/json.ts";
import { type ConditionMerge, mergeConditions } from "./merge-conditions.ts";

/** How a list of entries is merged. */
export interface EntryMerge extends ConditionMerge {
  /** Entries that name it are ours. */
  readonly controllerName: string;
  /** Which field says of what an entry speaks: `parentRef` or `ancestorRef`. */
  readonly ref: string;
  /** Namespace of the object: what references without one mean. */
  readonly namespace: string;
  /** Entries the API allows. */
  readonly most: number;
}

/**
 * The entries to write: those of others as they are and where they are, ours as wanted; an entry of ours keeps its place as long
 * as there is one, and new ones come last. Ours beyond what the API allows have no room.
 */
export function mergeEntries(live: unknown, wanted: unknown, merge: EntryMerge): readonly JsonObject[] {
  const missing = new Map(toObjects(wanted).map((entry) => [toKey(entry, merge), entry]));
  const merged: JsonObject[] = [];
  const room = merge.most - toObjects(live).filter((entry) => !isOurs(entry, merge)).length;
  let count = 0;
  for (const entry of toObjects(live)) {
    if (!isOurs(entry, merge)) {
      merged.push(entry);
      continue;
    }
    const key = toKey(entry, merge);
    const ourOwn = missing.get(key);
    missing.delete(key);
    if (ourOwn === undefined || count >= room) continue;
    merged.push(withConditions(ourOwn, entry, merge));
    count += 1;
  }
  const added = [...missing.values()].slice(0, Math.max(0, room - count));
  return [...merged, ...added.map((entry) => withConditions(entry, undefined, merge))];
}

/** Whether the list has an entry of this controller. */
export function hasEntryOf(live: unknown, controllerName: string): boolean {
  return toObjects(live).some((entry) => entry["controllerName"] === controllerName);
}

function isOurs(entry: JsonObject, { controllerName }: EntryMerge): boolean {
  return entry["controllerName"] === controllerName;
}

function withConditions(entry: JsonObject, live: JsonObject | undefined, merge: EntryMerge): JsonObject {
  return { ...entry, conditions: mergeConditions(live?.["conditions"], entry["conditions"], merge) };
}

/** References are the same whether defaults are written out or not. */
function toKey(entry: JsonObject, { ref, namespace }: EntryMerge): string {
  const [reference = {}] = toObjects([entry[ref]]);
  const {
    group = "gateway.networking.k8s.io",
    kind = "Gateway",
    namespace: named = namespace,
    name,
    sectionName,
    port,
  } = reference;
  return JSON.stringify([group, kind, named, name, sectionName ?? null, port ?? null]);
}
