/**
 * The health of all endpoints of one worker: looks, several times a second, whether other workers found out something, and has the
 * clusters concerned choose anew. A worker without outlier detection and health checks never looks.
 */
import type { ClusterTableOptions } from "../contract.ts";
import { CheckSlots } from "./checker.ts";
import type { HealthOptions } from "./contract.ts";
import { HealthMessages } from "./health-messages.ts";

/** What it stands on. */
export type HealthWatchOptions = HealthOptions & Pick<ClusterTableOptions, "now" | "random" | "schedule">;

/** A cluster with endpoints to watch. */
export interface WatchedCluster {
  /** When the first of its ejected endpoints is to be taken back, as the clock of the process; Infinity: there is none. */
  readonly nextReturn: number;
  /** Reads the words of its endpoints. */
  read(): void;
}

/** Milliseconds between two looks. */
const LOOK = 50;
/** Checks at once. */
const MOST_CHECKS = 64;

/** Of one worker. */
export class HealthWatch {
  readonly options: HealthWatchOptions;
  readonly slots: CheckSlots;
  readonly messages: HealthMessages;
  readonly #clusters = new Set<WatchedCluster>();
  #seen: bigint;
  #cancel: (() => void) | undefined = undefined;

  constructor(options: HealthWatchOptions) {
    this.options = options;
    this.slots = new CheckSlots(MOST_CHECKS, options.schedule);
    this.messages = new HealthMessages(options.log, options.clock);
    this.#seen = options.shared.changes;
  }

  /** From now on this cluster hears of changes. */
  add(cluster: WatchedCluster): void {
    this.#clusters.add(cluster);
    this.#cancel ??= this.options.schedule(LOOK, () => this.#look());
  }

  /** It hears of nothing any more. */
  remove(cluster: WatchedCluster): void {
    this.#clusters.delete(cluster);
    if (this.#clusters.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const { clock, schedule, shared } = this.options;
    this.#cancel = schedule(LOOK, () => this.#look());
    const { changes } = shared;
    const isNews = changes !== this.#seen;
    this.#seen = changes;
    const now = clock();
    for (const cluster of this.#clusters) if (isNews || cluster.nextReturn <= now) cluster.read();
  }
}
