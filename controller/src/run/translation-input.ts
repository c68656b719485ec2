/**
 * Whether a change of the world can change what translation makes of it. Every status we write comes back as a change: were it
 * translated, a thousand statuses would be a hundred translations.
 */
import { isDeepStrictEqual } from "node:util";
import { isKindName, kindNames } from "../kube/kinds.ts";
import { STATUS_KINDS } from "../status/merge-status.ts";
import type { IndexedWorld } from "../world/indexed-world.ts";
import type { Kind, WorldObject } from "../world/world.ts";

/** Kinds of which translation reads no status, and whose generation counts changes of their spec. */
const WITH_OUR_STATUS: ReadonlySet<Kind> = new Set(STATUS_KINDS.filter(isKindName));

/** True where translating `after` may give something else than translating `before`. */
export function isInputChanged(before: IndexedWorld, after: IndexedWorld): boolean {
  if (before === after) return false;
  return kindNames.some((kind) => {
    if (before.tableOf(kind) === after.tableOf(kind)) return false;
    return !WITH_OUR_STATUS.has(kind) || isSpecChanged(before.list(kind), after.list(kind));
  });
}

/** Both lists are sorted by namespace and name. */
function isSpecChanged(before: readonly WorldObject<Kind>[], after: readonly WorldObject<Kind>[]): boolean {
  return before.length !== after.length || after.some((object, index) => !isSameInput(before[index], object));
}

function isSameInput(before: WorldObject<Kind> | undefined, after: WorldObject<Kind>): boolean {
  if (before === after) return true;
  if (before === undefined) return false;
  const [old, now] = [before.object.metadata, after.object.metadata];
  return (
    old.uid === now.uid &&
    old.name === now.name &&
    old.namespace === now.namespace &&
    // Without a generation nobody counted what changed.
    now.generation !== undefined &&
    old.generation === now.generation &&
    old.deletionTimestamp === now.deletionTimestamp &&
    isDeepStrictEqual(old.labels, now.labels) &&
    isDeepStrictEqual(old.annotations, now.annotations) &&
    // A definition that was replaced shows more or less of an object that nobody touched.
    isDeepStrictEqual(specOf(before), specOf(after))
  );
}

function specOf({ object }: WorldObject<Kind>): unknown {
  return "spec" in object ? object.spec : undefined;
}
