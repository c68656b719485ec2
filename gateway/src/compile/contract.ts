/**
 * The seam between the engine of a worker and the compiler: a snapshot goes in, a runtime comes out, in slices the engine
 * drives. The engine makes a runtime the active one and, in the same turn of its loop, calls activate(); once no exchange
 * can begin on the runtime before it, it calls disposeUnused() of the new one.
 */
import type { Problem } from "@sallyport/model/problem";
import type { Result } from "@sallyport/model/result";
import type { Snapshot, SnapshotDelta } from "@sallyport/model/snapshot";
import type { Capabilities } from "@sallyport/policies/filter";
import type { ClusterTable } from "../cluster/contract.ts";
import type { Runtime } from "../router/contract.ts";

/** What compiling takes from the worker. The same for all compilations of a worker. */
export interface CompileDependencies {
  /** Owns every live cluster of this worker. */
  readonly clusters: ClusterTable;
  /** For filters, besides the pages of the snapshot. */
  readonly capabilities: Omit<Capabilities, "page">;
  /** Block of metric cells of a listener, by listener key. */
  readonly metricsBlock: (listenerKey: string) => number;
}

/** One compilation. */
export interface CompileOptions {
  readonly epoch: number;
  /** The runtime compiled before (active or not); undefined for the first. */
  readonly previous: CompiledRuntime | undefined;
  readonly snapshot: Snapshot;
  /** From the snapshot of `previous` to `snapshot`; undefined: found by comparing identities. */
  readonly delta: SnapshotDelta | undefined;
  readonly dependencies: CompileDependencies;
}

/** A runtime and what the engine does with it besides serving. */
export interface CompiledRuntime extends Runtime {
  readonly snapshot: Snapshot;
  /** Gives clusters their new configuration and endpoints. Call once, in the turn in which this becomes the active runtime. */
  activate(): void;
  /** Retires the clusters this runtime does not know. Call on the active runtime, when an older one has gone or a newer was dropped. */
  disposeUnused(): void;
}

/** What compiling gives: errors among the problems keep the snapshot out, and the caller goes on with `previous`. */
export type CompileOutcome = Result<CompiledRuntime, readonly Problem[]>;

/** Yields often (well under a millisecond apart); whoever drives it stops between yields when its slice is used up. */
export type Compilation = Generator<void, CompileOutcome, void>;
