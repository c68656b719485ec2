/**
 * A snapshot is the whole configuration of a proxy: flat resources by id, no nesting beyond what one user object holds.
 * One edited object is one changed resource, so a delta stays small and everything unchanged keeps its identity.
 */
import type { Cluster } from "./cluster.ts";
import type { EndpointSet } from "./endpoint.ts";
import type { Listener } from "./listener.ts";
import type { Page } from "./page.ts";
import type { HttpRoute, StreamRoute } from "./route.ts";
import type { Authorities, CertificateSecret } from "./secret.ts";

/** Any resource of a snapshot. */
export type Resource =
  | Listener
  | HttpRoute
  | StreamRoute
  | Cluster
  | EndpointSet
  | CertificateSecret
  | Authorities
  | Page;

/** The discriminant of Resource. */
export type ResourceKind = Resource["kind"];

/** `kind|key`: unique in a snapshot. */
export type ResourceId = `${ResourceKind}|${string}`;

/** A complete configuration; treat as immutable. */
export interface Snapshot {
  readonly resources: ReadonlyMap<ResourceId, Resource>;
}

/** What turns one snapshot into another. */
export interface SnapshotDelta {
  readonly upserted: readonly Resource[];
  readonly removed: readonly ResourceId[];
}

/** The snapshot of a proxy that knows nothing yet. */
export const EMPTY_SNAPSHOT: Snapshot = { resources: new Map() };

/** The id of a resource. */
export function toResourceId(resource: Resource): ResourceId {
  return `${resource.kind}|${resource.key}`;
}

/** A snapshot of these resources; of two with one id the later wins. */
export function toSnapshot(resources: Iterable<Resource>): Snapshot {
  const map = new Map<ResourceId, Resource>();
  for (const resource of resources) map.set(toResourceId(resource), resource);
  return { resources: map };
}

/** The smallest delta from `before` to `after`. Content is compared as JSON: translators write properties in a fixed order. */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDelta {
  const upserted: Resource[] = [];
  const removed: ResourceId[] = [];
  for (const [id, resource] of after.resources) {
    const old = before.resources.get(id);
    if (old === undefined || (old !== resource && JSON.stringify(old) !== JSON.stringify(resource)))
      upserted.push(resource);
  }
  for (const id of before.resources.keys()) if (!after.resources.has(id)) removed.push(id);
  return { upserted, removed };
}

/** `before` with the delta done; resources the delta does not name keep their identity. */
export function applyDelta(before: Snapshot, delta: SnapshotDelta): Snapshot {
  const resources = new Map(before.resources);
  for (const id of delta.removed) resources.delete(id);
  for (const resource of delta.upserted) resources.set(toResourceId(resource), resource);
  return { resources };
}

/** All resources of one kind, in the order of the snapshot. */
export function resourcesOf<K extends ResourceKind>(snapshot: Snapshot, kind: K): Extract<Resource, { kind: K }>[] {
  const found: Extract<Resource, { kind: K }>[] = [];
  for (const resource of snapshot.resources.values()) if (isOfKind(resource, kind)) found.push(resource);
  return found;
}

function isOfKind<K extends ResourceKind>(resource: Resource, kind: K): resource is Extract<Resource, { kind: K }> {
  return resource.kind === kind;
}

/** The resource as it may be shown to people: private keys are replaced. */
export function redactResource(resource: Resource): Resource {
  return resource.kind === "secret" ? { ...resource, privateKey: "(redacted)" } : resource;
}
