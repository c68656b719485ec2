/** Finds objects whose statuses have entries of ours: some may be from before, and not wanted any more. */
import type { ObjectRef } from "@sallyport/model/problem";
import { isKindName, type KindName } from "../kube/kinds.ts";
import type { World } from "../world/world.ts";
import { statusOf, toRef } from "./live-status.ts";
import { namesController, STATUS_KINDS } from "./merge-status.ts";

/** Kinds with statuses of ours. */
const KINDS: readonly KindName[] = STATUS_KINDS.filter(isKindName);

/** Looks at each object once. */
export class StraySearch {
  readonly #controllerName: string;
  readonly #lists = new Map<KindName, readonly object[]>();
  readonly #seen = new WeakSet<object>();

  constructor(controllerName: string) {
    this.#controllerName = controllerName;
  }

  /** Whether some object with a status of ours is another than at the last search. */
  isNews(world: World): boolean {
    return KINDS.some((kind) => world.list(kind) !== this.#lists.get(kind));
  }

  /** Objects with entries of ours among those that are new. */
  *search(world: World): Generator<ObjectRef, void> {
    for (const kind of KINDS) {
      const objects = world.list(kind);
      if (this.#lists.get(kind) === objects) continue;
      this.#lists.set(kind, objects);
      for (const object of objects) {
        if (this.#seen.has(object)) continue;
        this.#seen.add(object);
        if (namesController(statusOf(object), this.#controllerName)) yield toRef(object);
      }
    }
  }
}
