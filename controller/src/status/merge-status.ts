/** What is to be written so that the status of a live object says what we want, and goes on saying what others do. */
import { isDeepStrictEqual } from "node:util";
import type { Kind } from "../world/world.ts";
import { isRecord } from "../kube/field-path.ts";
import { type JsonObject, toObject, toObjects } from "../kube/json.ts";
import { mergeConditions, withdrawConditions } from "./merge-conditions.ts";
import { hasEntryOf, mergeEntries } from "./merge-entries.ts";
import {
  ANCESTOR_CONDITIONS,
  CLASS_CONDITIONS,
  GATEWAY_CONDITIONS,
  LISTENER_CONDITIONS,
  LISTENER_SET_CONDITIONS,
  PARENT_CONDITIONS,
} from "./owned-conditions.ts";

/** What merging depends on besides both statuses. */
export interface StatusMerge {
  /** Entries of routes and policies that name it are ours. */
  readonly controllerName: string;
  /** Namespace of the object. */
  readonly namespace: string;
  /** RFC 3339, the time of conditions whose status changes. */
  readonly now: string;
}

/** Merges one field of a status. */
type MergeField = (live: unknown, wanted: unknown, merge: StatusMerge) => unknown;

/** The fields of a status that we write; any other one is left alone. */
type StatusFields = Readonly<Record<string, MergeField>>;

/** RouteStatus: a list holds no more. */
const MOST_PARENTS = 32;
/** PolicyStatus: a list holds no more. */
const MOST_ANCESTORS = 16;
/** Gateway and ListenerSet: a list holds no more. */
const MOST_LISTENERS = 64;

const ROUTE: StatusFields = {
  parents: (live, wanted, merge) =>
    mergeEntries(live, wanted, { ...merge, ours: PARENT_CONDITIONS, ref: "parentRef", most: MOST_PARENTS }),
};
const POLICY: StatusFields = {
  ancestors: (live, wanted, merge) =>
    mergeEntries(live, wanted, { ...merge, ours: ANCESTOR_CONDITIONS, ref: "ancestorRef", most: MOST_ANCESTORS }),
};
const CLASS: StatusFields = {
  conditions: toConditionMerge(CLASS_CONDITIONS),
  supportedFeatures: (_live, wanted) => sortByName(wanted),
};

/** By kind; kinds that are not named have no status of ours. */
const FIELDS: Partial<Readonly<Record<string, StatusFields>>> = {
  GatewayClass: CLASS,
  XMesh: CLASS,
  Gateway: {
    conditions: toConditionMerge(GATEWAY_CONDITIONS),
    listeners: mergeListeners,
    addresses: replace,
    attachedListenerSets: replace,
  },
  ListenerSet: { conditions: toConditionMerge(LISTENER_SET_CONDITIONS), listeners: mergeListeners },
  HTTPRoute: ROUTE,
  GRPCRoute: ROUTE,
  TLSRoute: ROUTE,
  TCPRoute: ROUTE,
  UDPRoute: ROUTE,
  BackendTLSPolicy: POLICY,
  XBackendTrafficPolicy: POLICY,
  BackendTrafficPolicy: POLICY,
  ClientTrafficPolicy: POLICY,
  // The merge patch goes into the object, so that the list has to be named.
  Ingress: { loadBalancer: (_live, wanted) => ({ ingress: toObjects(toObject(wanted)["ingress"]) }) },
} satisfies Partial<Record<Kind | "XMesh" | "XBackendTrafficPolicy", StatusFields>>;

/** Kinds whose status is ours to write. */
export const STATUS_KINDS: readonly string[] = Object.keys(FIELDS);

/** Whether a field holds entries of several controllers, ours among them: such an object says itself that it was ours. */
export function namesController(status: unknown, controllerName: string): boolean {
  const { parents, ancestors } = toObject(status);
  return hasEntryOf(parents, controllerName) || hasEntryOf(ancestors, controllerName);
}

/**
 * The fields of the status to write, as a merge patch has them (null: remove), or undefined where everything is as wanted.
 * `wanted` has the fields of ours in full; one that it lacks is to be gone.
 */
export function mergeStatus(kind: string, live: unknown, wanted: unknown, merge: StatusMerge): JsonObject | undefined {
  const before = toObject(live);
  const ourOwn = toObject(wanted);
  const patch: Record<string, unknown> = {};
  for (const [field, mergeField] of Object.entries(FIELDS[kind] ?? {})) {
    const merged = mergeField(before[field], ourOwn[field], merge);
    if (!isSame(before[field], merged)) patch[field] = merged ?? null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/**
 * As mergeStatus, for an object that is not ours any more: what we wrote and nobody has written over goes. `written` is what we
 * wrote last; entries with our name go whatever they say.
 */
export function withdrawStatus(
  kind: string,
  live: unknown,
  written: unknown,
  merge: StatusMerge,
): JsonObject | undefined {
  const before = toObject(live);
  const said = toObject(written);
  const patch: Record<string, unknown> = {};
  for (const field of Object.keys(FIELDS[kind] ?? {})) {
    const rest = withdrawField(field, { live: before[field], written: said[field] }, merge);
    if (!isSame(before[field], rest)) patch[field] = rest ?? null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function withdrawField(
  field: string,
  { live, written }: { readonly live: unknown; readonly written: unknown },
  merge: StatusMerge,
): unknown {
  if (field === "parents") return ROUTE["parents"]?.(live, [], merge);
  if (field === "ancestors") return POLICY["ancestors"]?.(live, [], merge);
  if (field === "conditions") return withdrawConditions(live, written);
  if (field === "listeners") return withdrawListeners(live, written);
  if (field === "loadBalancer") return isSame(live, written) ? { ingress: [] } : live;
  return isSame(live, written) ? undefined : live;
}

function withdrawListeners(live: unknown, written: unknown): readonly JsonObject[] {
  const said = new Map(toObjects(written).map((listener) => [listener["name"], listener]));
  return toObjects(live).filter((listener) => {
    const ourOwn = said.get(listener["name"]);
    return ourOwn === undefined || withdrawConditions(listener["conditions"], ourOwn["conditions"]).length > 0;
  });
}

function toConditionMerge(ours: ReadonlySet<string>): MergeField {
  return (live, wanted, { now }) => mergeConditions(live, wanted, { ours, now });
}

/** In the order of the spec; those that are in it no more go. */
function mergeListeners(live: unknown, wanted: unknown, { now }: StatusMerge): readonly JsonObject[] {
  const before = new Map(toObjects(live).map((listener) => [listener["name"], listener]));
  return toObjects(wanted)
    .slice(0, MOST_LISTENERS)
    .map((listener) => ({
      ...listener,
      conditions: mergeConditions(before.get(listener["name"])?.["conditions"], listener["conditions"], {
        ours: LISTENER_CONDITIONS,
        now,
      }),
    }));
}

function replace(_live: unknown, wanted: unknown): unknown {
  return wanted;
}

function sortByName(features: unknown): readonly JsonObject[] {
  const nameOf = (feature: JsonObject): string => String(feature["name"]);
  return toObjects(features).toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

/** An empty list and an empty object are as good as none. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(dropEmpty(one), dropEmpty(other));
}

function dropEmpty(value: unknown): unknown {
  if (Array.isArray(value) && value.length === 0) return undefined;
  if (!isRecord(value)) return value;
  const full = Object.entries(value).filter(([, inner]) => dropEmpty(inner) !== undefined);
  return full.length === 0 ? undefined : Object.fromEntries(full.map(([name, inner]) => [name, dropEmpty(inner)]));
}
