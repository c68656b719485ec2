/**
 * The connections of a bound port, counted over all workers. A limit is looked at before a connection is counted, so that
 * workers which accept at the same moment may go beyond it by one each but the first.
 */
import { type ActiveCounts, NO_SLOT, type Recorder } from "../observe/contract.ts";
import type { CompiledBind } from "../router/contract.ts";
import { QuietPeriod } from "../time/quiet-period.ts";
import type { WarningLog } from "../wire/upstream-warnings.ts";

/** What is asked of the counts that workers share. */
export type SharedCounts = Pick<ActiveCounts, "claim" | "release" | "add" | "total">;

/** What limits are noted with. */
export interface PortDependencies {
  readonly recorder: Pick<Recorder, "connectionLimited">;
  readonly log: WarningLog;
  now(): number;
}

/** What of a port says how many there may be. */
export type LimitedPort = Pick<CompiledBind, "connections" | "limiter" | "fallback" | "port">;

/** Whose slots these are, among those of endpoints: no cluster has such a key. */
const PORTS = "port";

/** Connections of one port, as one worker counts them. */
export class PortConnections {
  readonly #counts: SharedCounts | undefined;
  readonly #dependencies: PortDependencies;
  readonly #quiet = new QuietPeriod();
  #slot: number;
  #own = 0;

  /** Without counts, or where they have no room, the worker counts for itself. */
  constructor(counts: SharedCounts | undefined, bindKey: string, dependencies: PortDependencies) {
    this.#counts = counts;
    this.#dependencies = dependencies;
    this.#slot = counts?.claim(PORTS, bindKey) ?? NO_SLOT;
  }

  /**
   * Counts one more. False, and noted, where there are as many as there may be: the caller closes it, rather than let it wait. Its
   * client can turn elsewhere, and whoever is served goes on being served.
   */
  admit(port: LimitedPort): boolean {
    const limit = port.connections.maxConnections;
    if (limit !== undefined && this.#total() >= limit) {
      this.#noteLimited(port, limit);
      return false;
    }
    this.#own++;
    this.#counts?.add(this.#slot, 1);
    return true;
  }

  /** Counts one less. */
  giveBack(): void {
    this.#own--;
    this.#counts?.add(this.#slot, -1);
  }

  /** The port is gone, and its last connection, too. */
  close(): void {
    this.#counts?.release(this.#slot);
    this.#slot = NO_SLOT;
  }

  /** Somebody asked for this limit, so it is no fault that it holds. */
  #noteLimited({ limiter, fallback, port }: LimitedPort, limit: number): void {
    const { recorder, log } = this.#dependencies;
    recorder.connectionLimited(fallback.metrics);
    const closed = this.#quiet.note(this.#dependencies.now());
    if (closed === 0) return;
    const listener = limiter ?? fallback.key;
    log.warn("limit of connections of a listener reached", { listener, port, limit, closed });
  }

  #total(): number {
    return this.#slot === NO_SLOT || this.#counts === undefined ? this.#own : this.#counts.total(this.#slot);
  }
}
