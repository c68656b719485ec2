/**
 * The one snapshot of the cluster, cut up for groups of proxies. Each gets its own listeners, the routes that hang on them, and
 * what these name, from mirrors to certificate authorities. Nothing else: a proxy that was broken into must not hold the keys of
 * another Gateway.
 */
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import type { Resource, ResourceId, Snapshot } from "@sallyport/model/snapshot";
import { referencesOf } from "@sallyport/model/validate";
import { toGroup } from "./groups.ts";

/**
 * The slice of every group. `groups` are those that have one in any case: proxies whose Gateway has no listener left must hear
 * that there is nothing left to serve. A resource that nothing is cut from is the same object in all slices, and a slice in which
 * nothing is different from `before` is that of `before`.
 */
export function sliceSnapshot(
  snapshot: Snapshot,
  groups: Iterable<string>,
  before: ReadonlyMap<string, Snapshot> = new Map(),
): ReadonlyMap<string, Snapshot> {
  const owns = new Map<string, Own>([...groups].map((group) => [group, new Map()]));
  for (const [id, resource] of snapshot.resources) {
    if (resource.kind === "listener") toOwn(owns, toGroup(resource.key)).set(id, resource);
    else if (resource.kind === "http-route" || resource.kind === "stream-route") {
      for (const [group, part] of cutRoute(resource)) toOwn(owns, group).set(id, part);
    }
  }
  return new Map([...owns].map(([group, own]) => [group, recallSlice(snapshot, own, before.get(group))]));
}

/** What belongs to one group only: listeners and (parts of) routes. A slice begins with it. */
type Own = Map<ResourceId, Resource>;

/** What a slice was made from. */
interface Origin {
  /** How many resources are the group's own. */
  readonly own: number;
  /** Ids that are named and are not there. */
  readonly missing: readonly ResourceId[];
}

const origins = new WeakMap<Snapshot, Origin>();

function toOwn(owns: Map<string, Own>, group: string): Own {
  const known = owns.get(group);
  if (known !== undefined) return known;
  const own: Own = new Map();
  owns.set(group, own);
  return own;
}

function recallSlice(snapshot: Snapshot, own: Own, before: Snapshot | undefined): Snapshot {
  if (before !== undefined && isAsBefore(snapshot, own, before)) return before;
  const resources = new Map(own);
  const missing = close(resources, snapshot);
  const slice = { resources };
  origins.set(slice, { own: own.size, missing });
  return slice;
}

function isAsBefore({ resources }: Snapshot, own: Own, before: Snapshot): boolean {
  const origin = origins.get(before);
  if (origin?.own !== own.size || origin.missing.some((id) => resources.has(id))) return false;
  let index = 0;
  for (const [id, resource] of before.resources) {
    const now = index < origin.own ? own.get(id) : resources.get(id);
    if (now !== resource) return false;
    index++;
  }
  return true;
}

/** The route by group, with the attachments to that group's listeners. */
function cutRoute(route: HttpRoute | StreamRoute): ReadonlyMap<string, HttpRoute | StreamRoute> {
  const known = cuts.get(route);
  if (known !== undefined) return known;
  const attachments = Map.groupBy(route.attachments, ({ listener }) => toGroup(listener));
  const parts = new Map(
    [...attachments].map(([group, own]) => [group, attachments.size === 1 ? route : { ...route, attachments: own }]),
  );
  cuts.set(route, parts);
  return parts;
}

/** By route: one that did not change has parts that did not change, and nobody need compare or hash them again. */
const cuts = new WeakMap<HttpRoute | StreamRoute, ReadonlyMap<string, HttpRoute | StreamRoute>>();

/** Adds what the resources name, and what that names in turn; a map is walked to the end while it grows. Tells what is not there. */
function close(resources: Map<ResourceId, Resource>, snapshot: Snapshot): readonly ResourceId[] {
  const missing = new Set<ResourceId>();
  for (const resource of resources.values()) {
    for (const id of recallReferences(resource)) {
      if (resources.has(id)) continue;
      const named = snapshot.resources.get(id);
      if (named === undefined) missing.add(id);
      else resources.set(id, named);
    }
  }
  return [...missing];
}

function recallReferences(resource: Resource): readonly ResourceId[] {
  const known = references.get(resource);
  if (known !== undefined) return known;
  const found = [...new Set(referencesOf(resource))];
  references.set(resource, found);
  return found;
}

const references = new WeakMap<Resource, readonly ResourceId[]>();
