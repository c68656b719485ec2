/**
 * The one snapshot of the cluster, cut up for groups of proxies. Each gets its own listeners, the routes that hang on them, and
 * what these name, from mirrors to certificate authorities. Nothing else: a proxy that was broken into must not hold the keys of
 * another Gateway.
 */
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import { type Resource, type ResourceId, type Snapshot, toResourceId } from "@sallyport/model/snapshot";
import { referencesOf } from "@sallyport/model/validate";
import { toGroup } from "./groups.ts";

/**
 * The slice of every group. `groups` are those that have one in any case: proxies whose Gateway has no listener left must hear
 * that there is nothing left to serve. A resource that nothing is cut from is the same object in all slices.
 */
export function sliceSnapshot(snapshot: Snapshot, groups: Iterable<string>): ReadonlyMap<string, Snapshot> {
  const slices = new Map<string, Map<ResourceId, Resource>>([...groups].map((group) => [group, new Map()]));
  for (const resource of snapshot.resources.values()) {
    if (resource.kind === "listener") add(slices, toGroup(resource.key), resource);
    else if (resource.kind === "http-route" || resource.kind === "stream-route") {
      for (const [group, part] of cutRoute(resource)) add(slices, group, part);
    }
  }
  return new Map([...slices].map(([group, resources]) => [group, { resources: close(resources, snapshot) }]));
}

function add(slices: Map<string, Map<ResourceId, Resource>>, group: string, resource: Resource): void {
  const slice = slices.get(group) ?? new Map<ResourceId, Resource>();
  slices.set(group, slice);
  slice.set(toResourceId(resource), resource);
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

/** Adds what the resources name, and what that names in turn; a map is walked to the end while it grows. */
function close(resources: Map<ResourceId, Resource>, snapshot: Snapshot): ReadonlyMap<ResourceId, Resource> {
  for (const resource of resources.values()) {
    for (const id of recallReferences(resource)) {
      const named = resources.has(id) ? undefined : snapshot.resources.get(id);
      if (named !== undefined) resources.set(id, named);
    }
  }
  return resources;
}

function recallReferences(resource: Resource): readonly ResourceId[] {
  const known = references.get(resource) ?? referencesOf(resource);
  references.set(resource, known);
  return known;
}

const references = new WeakMap<Resource, readonly ResourceId[]>();
