/** A World that notes what was read from it: what a translation depends on, so that only that need cause it to run again. */
import type { Kind, World, WorldObject } from "./world.ts";

/** `Kind/namespace/name` of an object that was asked for (whether it is there or not), `Kind/namespace/*` or `Kind/*`. */
export type ReadKey = `${Kind}/${string}`;

/** Passes reads on to `world` and collects their keys in `reads`. */
export class TrackedWorld implements World {
  readonly #world: World;
  readonly #reads = new Set<ReadKey>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Keys of everything read so far. */
  get reads(): ReadonlySet<ReadKey> {
    return this.#reads;
  }

  /** See World. */
  get<K extends Kind>(kind: K, namespace: string, name: string): WorldObject<K> | undefined {
    this.#reads.add(`${kind}/${namespace}/${name}`);
    return this.#world.get(kind, namespace, name);
  }

  /** See World. */
  list<K extends Kind>(kind: K, namespace?: string): readonly WorldObject<K>[] {
    this.#reads.add(namespace === undefined ? `${kind}/*` : `${kind}/${namespace}/*`);
    return this.#world.list(kind, namespace);
  }
}
