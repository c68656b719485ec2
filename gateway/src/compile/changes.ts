/** What differs between the snapshot a runtime was compiled from and the next one, sorted by kind. */
import type { Resource, ResourceId, ResourceKind, Snapshot, SnapshotDelta } from "@sallyport/model/snapshot";
import { toResourceId } from "@sallyport/model/snapshot";

/** Keys of resources that are new, changed or gone, by kind. */
export type Changes = Readonly<Record<ResourceKind, ReadonlySet<string>>>;

/** Resources looked at between two yields. */
const SLICE = 512;

/** From the delta where there is one; else by comparing identities, since what did not change keeps its own. */
export function* findChanges(
  before: Snapshot,
  after: Snapshot,
  delta: SnapshotDelta | undefined,
): Generator<void, Changes, void> {
  const changes: Record<ResourceKind, Set<string>> = {
    listener: new Set(),
    "http-route": new Set(),
    "stream-route": new Set(),
    cluster: new Set(),
    endpoints: new Set(),
    secret: new Set(),
    authorities: new Set(),
    page: new Set(),
  };
  let looked = 0;
  const note = (resource: Resource): void => void changes[resource.kind].add(resource.key);
  for (const id of delta === undefined ? before.resources.keys() : delta.removed) {
    const gone = before.resources.get(id);
    if (gone !== undefined && !after.resources.has(id)) note(gone);
    if (isSliceOver()) yield;
  }
  for (const resource of delta === undefined ? after.resources.values() : delta.upserted) {
    if (before.resources.get(toResourceId(resource)) !== resource) note(resource);
    if (isSliceOver()) yield;
  }
  return changes;

  function isSliceOver(): boolean {
    return ++looked % SLICE === 0;
  }
}

/** A resource by kind and key. */
export function getResource<K extends ResourceKind>(
  snapshot: Snapshot,
  kind: K,
  key: string,
): Extract<Resource, { kind: K }> | undefined {
  const id: ResourceId = `${kind}|${key}`;
  const resource = snapshot.resources.get(id);
  return resource !== undefined && isOfKind(resource, kind) ? resource : undefined;
}

function isOfKind<K extends ResourceKind>(resource: Resource, kind: K): resource is Extract<Resource, { kind: K }> {
  return resource.kind === kind;
}
