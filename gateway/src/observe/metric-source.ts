/** What metrics are read from: the cells of all workers, the names of their blocks, and what the supervisor knows. */
import type { Cells } from "./cells.ts";
import type { Series } from "./series.ts";

/** Read anew for each exposition. */
export interface MetricSource {
  readonly cells: Cells;
  readonly series: Series;
  readonly facts: () => GatewayFacts;
}

/** What only the supervisor knows. */
export interface GatewayFacts {
  readonly epoch: number;
  readonly applies: number;
  readonly rejects: number;
  /** Milliseconds since 1970; 0 before the first. */
  readonly appliedAt: number;
  readonly ready: boolean;
  /** 0 none, 1 stop-keep-alive, 2 shed. */
  readonly pressure: number;
  readonly workersServing: number;
  readonly workersDied: number;
  readonly workersHung: number;
  /** File descriptors the process may open; Infinity where the system does not say. */
  readonly maxFiles: number;
}
