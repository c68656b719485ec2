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
  /** Its key, which begins with the namespace of its Service. */
  readonly key: string;
  /** When the first of its ejected endpoints is to be taken back, as the clock of the process; Infinity: there is none. */
  readonly nextReturn: number;
  /** Reads the words of its endpoints. */
  read(): void;
}

/** Milliseconds between two looks. */
const LOOK = 50;
/**
 * Checks at once of the clusters of one namespace: endpoints that never answer hold their place until the check's time is over, which
 * may be minutes, and must hold up nobody's checks but those of their owner.
 */
const MOST_CHECKS = 64;

/** Who shares places for checks. */
interface Tenant {
  readonly slots: CheckSlots;
  clusters: number;
}

/** Of one worker. */
export class HealthWatch {
  readonly options: HealthWatchOptions;
  readonly messages: HealthMessages;
  readonly #clusters = new Set<WatchedCluster>();
  readonly #tenants = new Map<string, Tenant>();
  #seen: bigint;
  #cancel: (() => void) | undefined = undefined;

  constructor(options: HealthWatchOptions) {
    this.options = options;
    this.messages = new HealthMessages(options.log, options.clock);
    this.#seen = options.shared.changes;
  }

  /** From now on this cluster hears of changes. */
  add(cluster: WatchedCluster): void {
    if (!this.#clusters.has(cluster)) this.#tenantOf(cluster).clusters++;
    this.#clusters.add(cluster);
    this.#cancel ??= this.options.schedule(LOOK, () => this.#look());
  }

  /** It hears of nothing any more. */
  remove(cluster: WatchedCluster): void {
    if (!this.#clusters.delete(cluster)) return;
    if (--this.#tenantOf(cluster).clusters === 0) this.#tenants.delete(toTenant(cluster));
    if (this.#clusters.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Where the checks of this cluster, which was added, have their places. */
  slotsOf(cluster: WatchedCluster): CheckSlots {
    return this.#tenantOf(cluster).slots;
  }

  #tenantOf(cluster: WatchedCluster): Tenant {
    const name = toTenant(cluster);
    const known = this.#tenants.get(name);
    if (known !== undefined) return known;
    const tenant = { slots: new CheckSlots(MOST_CHECKS, this.options.schedule), clusters: 0 };
    this.#tenants.set(name, tenant);
    return tenant;
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

function toTenant({ key }: WatchedCluster): string {
  return key.slice(0, Math.max(0, key.indexOf("/")));
}
