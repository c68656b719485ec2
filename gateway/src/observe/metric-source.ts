/** What metrics are read from: the cells of all workers, the names of their blocks, and what the supervisor knows. */
import type { ActiveTable } from "./active-counts.ts";
import type { Cells } from "./cells.ts";
import type { Series } from "./series.ts";

/** Read anew for each exposition. */
export interface MetricSource {
  readonly cells: Cells;
  readonly active: Pick<ActiveTable, "countHealth" | "health">;
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
  /** Absent where the configuration does not come from a controller. */
  readonly remote?: RemoteFacts | undefined;
}

/** What is known of following a controller. Times are milliseconds since 1970, 0 for never. */
export interface RemoteFacts {
  readonly connected: boolean;
  /** What is served comes from disk, and the controller has not confirmed it yet. */
  readonly restored: boolean;
  readonly connects: number;
  /** Connections that broke, and those that could not be made. */
  readonly failures: number;
  readonly accepted: number;
  readonly refused: number;
  readonly lastChangeAt: number;
  readonly certificateExpiresAt: number;
  /** Of the node, where the controller knows it. */
  readonly zone: string | undefined;
  /** Why the last change was refused. */
  readonly problems: readonly string[];
}
