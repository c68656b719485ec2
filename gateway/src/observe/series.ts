/**
 * Which metric series exist: gives listeners, and where asked for routes and clusters, of every configuration their blocks
 * of cells. Lives in the supervisor; workers are told the assignments with each change.
 */
import { resourcesOf, type ResourceKind, type Snapshot } from "@sallyport/model/snapshot";
import { BlockTable, type NamedBlock } from "./blocks.ts";
import type { BlockKind, Cells } from "./cells.ts";

/** Assignments as workers get them. */
export type SeriesBlocks = Readonly<Record<BlockKind, readonly NamedBlock[]>>;

const RESOURCE_OF: Readonly<Record<BlockKind, ResourceKind>> = {
  listeners: "listener",
  routes: "http-route",
  clusters: "cluster",
};

/** The series of one process. */
export class Series {
  readonly #tables: Readonly<Record<BlockKind, BlockTable>>;

  constructor(cells: Cells) {
    const open = (kind: BlockKind): BlockTable => {
      return new BlockTable(cells.shape[kind], (block) => cells.forget(kind, block));
    };
    this.#tables = { listeners: open("listeners"), routes: open("routes"), clusters: open("clusters") };
  }

  /** Gives blocks to what a snapshot names, before any worker compiles it. */
  reserve(snapshot: Snapshot): SeriesBlocks {
    for (const kind of KINDS) this.#tables[kind].reserve(keysOf(snapshot, kind));
    return this.blocks();
  }

  /** Retires what the snapshot in force does not name. */
  retain(snapshot: Snapshot): void {
    for (const kind of KINDS) this.#tables[kind].retain(keysOf(snapshot, kind));
  }

  /** Names in use with a block of their own. */
  blocks(): SeriesBlocks {
    const { listeners, routes, clusters } = this.#tables;
    return { listeners: listeners.entries(), routes: routes.entries(), clusters: clusters.entries() };
  }

  /** How many names of a kind share the block of the others. */
  overflowed(kind: BlockKind): number {
    return this.#tables[kind].overflowed;
  }
}

const KINDS: readonly BlockKind[] = ["listeners", "routes", "clusters"];

function keysOf(snapshot: Snapshot, kind: BlockKind): ReadonlySet<string> {
  return new Set(resourcesOf(snapshot, RESOURCE_OF[kind]).map((resource) => resource.key));
}
