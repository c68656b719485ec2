/** A slice with the version of each resource. Versions are remembered by the resource itself: what did not change is not hashed again. */
import { createHash } from "node:crypto";
import type { Resource, Snapshot } from "@sallyport/model/snapshot";

/** What a group of proxies should have. */
export interface VersionedSlice {
  readonly resources: ReadonlyMap<string, Resource>;
  /** Version by id; what proxies are compared by. */
  readonly versions: ReadonlyMap<string, string>;
}

const VERSION_LENGTH = 16;

const known = new WeakMap<Resource, string>();

/** The version of a resource: equal where the content is, whichever controller made it. */
export function toVersion(resource: Resource): string {
  const found = known.get(resource);
  if (found !== undefined) return found;
  const version = createHash("sha256").update(JSON.stringify(resource)).digest("base64url").slice(0, VERSION_LENGTH);
  known.set(resource, version);
  return version;
}

/** The slice with its versions; `before` itself where nothing is different, so that who has it need not compare. */
export function toVersionedSlice({ resources }: Snapshot, before: VersionedSlice | undefined): VersionedSlice {
  if (before?.resources === resources) return before;
  const versions = new Map<string, string>();
  let isSame = before?.versions.size === resources.size;
  for (const [id, resource] of resources) {
    const version = toVersion(resource);
    versions.set(id, version);
    isSame &&= before?.versions.get(id) === version;
  }
  return isSame && before !== undefined ? before : { resources, versions };
}
