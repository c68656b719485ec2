/** A runtime: what a snapshot was compiled to, and the parts the next compilation starts from. */
import type { Snapshot } from "@sallyport/model/snapshot";
import type { ClusterTable, ManagedCluster, UpstreamCluster } from "../cluster/contract.ts";
import type { Binds } from "./binds.ts";
import type { ClusterEntries, ClusterEntry } from "./clusters.ts";
import type { CompiledRuntime } from "./contract.ts";
import type { ListenerRoutes } from "./listeners.ts";
import type { PlacedRoute } from "./placement.ts";
import type { Streams } from "./streams.ts";

/** The parts of a runtime. */
export interface RuntimeParts {
  readonly epoch: number;
  readonly snapshot: Snapshot;
  readonly binds: Binds;
  readonly clusters: ClusterEntries;
  /** By listener key. */
  readonly listeners: ReadonlyMap<string, ListenerRoutes>;
  /** By route key. */
  readonly routes: ReadonlyMap<string, PlacedRoute>;
  readonly streams: Streams;
  /** Clusters to configure on activation, by key. */
  readonly pending: ReadonlyMap<string, ClusterEntry>;
  readonly table: ClusterTable;
}

/** What compileRuntime makes. */
export class SnapshotRuntime implements CompiledRuntime {
  readonly parts: RuntimeParts;
  readonly #table: ClusterTable;
  #isActivated = false;

  constructor(parts: RuntimeParts) {
    this.parts = parts;
    this.#table = parts.table;
  }

  get epoch(): number {
    return this.parts.epoch;
  }

  get snapshot(): Snapshot {
    return this.parts.snapshot;
  }

  get binds(): Binds {
    return this.parts.binds;
  }

  /** What clusters still have to be told of this runtime. */
  get pending(): ReadonlyMap<string, ClusterEntry> {
    return this.#isActivated ? new Map() : this.parts.pending;
  }

  cluster(key: string): UpstreamCluster | undefined {
    return this.parts.clusters.get(key)?.cluster;
  }

  activate(): void {
    if (this.#isActivated) return;
    this.#isActivated = true;
    for (const { cluster, config, endpoints, tls } of this.parts.pending.values())
      cluster?.update(config, endpoints, tls);
  }

  disposeUnused(): void {
    const used = new Set<ManagedCluster>();
    for (const { cluster } of this.parts.clusters.values()) if (cluster !== undefined) used.add(cluster);
    this.#table.disposeUnused(used);
  }
}
