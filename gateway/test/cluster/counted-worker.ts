/** One of several workers that count in the same memory: real clusters and tables, connections of the test, and a fuse. */
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { ClusterTable, ManagedCluster } from "../../src/cluster/contract.ts";
import type { ProbeOptions, ProbeResult } from "../../src/cluster/health/contract.ts";
import { openClusterTable } from "../../src/cluster/table.ts";
import { ActiveTable } from "../../src/observe/active-counts.ts";
import { ClusterCountTable } from "../../src/observe/cluster-counts.ts";
import type { SlotShape } from "../../src/observe/shared-slots.ts";
import { FakeConnection, type FakeLeaser, type FakeRequest } from "./fakes.ts";
import { Fuse, toMortalCounts, toMortalHealth, toMortalLimits } from "./mortality.ts";

/** A cluster of one worker, and what the test knows of it. */
export interface Held {
  readonly key: string;
  readonly cluster: ManagedCluster;
  /** As it was applied last. */
  config: Cluster;
  /** Retries that were begun and not ended. */
  retries: number;
  readonly leases: FakeLeaser[];
  readonly waiting: FakeRequest[];
  isRetired: boolean;
  /** Requests waited when it was retired: what they open is not counted on endpoints that had nothing then. */
  isLate: boolean;
}

/** What all workers stand on. */
export interface Ground {
  readonly shape: SlotShape;
  readonly active: SharedArrayBuffer;
  readonly limits: SharedArrayBuffer;
  now: number;
  random(): number;
  schedule(worker: CountedWorker, milliseconds: number, run: () => void): () => void;
  /** How the next connection is to be. */
  shapeConnection(connection: FakeConnection): void;
  probe(target: ProbeOptions): ProbeResult;
  onLine(worker: CountedWorker, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A worker. */
export class CountedWorker {
  readonly number: number;
  readonly fuse = new Fuse();
  readonly table: ClusterTable;
  readonly held: Held[] = [];
  /** Connections that are open. */
  readonly open = new Set<FakeConnection>();
  pending = 0;
  /** Limits that it says are reached. */
  breakers = 0;
  isAlive = true;

  constructor(number: number, ground: Ground) {
    this.number = number;
    const active = new ActiveTable(ground.shape, number, ground.active);
    const limits = new ClusterCountTable(ground.shape, number, ground.limits);
    const schedule = (milliseconds: number, run: () => void): (() => void) => ground.schedule(this, milliseconds, run);
    this.table = openClusterTable({
      open: (options) => {
        const connection = new FakeConnection(options);
        ground.shapeConnection(connection);
        this.open.add(connection);
        return connection;
      },
      now: () => ground.now,
      random: () => ground.random(),
      schedule,
      resolver: { resolve: () => Promise.withResolvers<never>().promise, close: () => undefined },
      counts: toMortalCounts(active, this.fuse),
      limitCounts: toMortalLimits(limits, this.fuse),
      recorder: {
        upstreamReuse: () => undefined,
        upstreamAddressesLeftOut: () => undefined,
        upstreamPending: (change) => void (this.pending += change),
        upstreamOverflow: () => undefined,
        upstreamBreaker: (_limit, change) => void (this.breakers += change),
      },
      health: {
        worker: number,
        shared: toMortalHealth(active, number, this.fuse),
        clock: () => ground.now,
        probe: (target, done) => schedule(5, () => done(ground.probe(target))),
        log: {
          info: (message, fields) => ground.onLine(this, message, fields),
          warn: (message, fields) => ground.onLine(this, message, fields),
        },
      },
    });
  }

  /** Makes the clusters what is configured: those that are there are updated, others come, the rest is retired. */
  apply(configs: ReadonlyMap<string, Cluster>, endpoints: ReadonlyMap<string, readonly Endpoint[]>): void {
    const used = new Set<ManagedCluster>();
    for (const [key, config] of configs) {
      const set = { kind: "endpoints" as const, key, endpoints: [...(endpoints.get(key) ?? [])] };
      const known = this.held.find((one) => one.key === key && !one.isRetired);
      if (known !== undefined) {
        known.config = config;
        known.cluster.update(config, set, undefined);
        used.add(known.cluster);
        continue;
      }
      const cluster = this.table.create(config, set, undefined);
      this.held.push({ key, cluster, config, retries: 0, leases: [], waiting: [], isRetired: false, isLate: false });
      used.add(cluster);
    }
    for (const one of this.held) {
      if (one.isRetired || used.has(one.cluster)) continue;
      one.isRetired = true;
      one.isLate = one.cluster.summary().pending > 0;
    }
    this.table.disposeUnused(used);
  }

  /** Forgets what has ended. */
  tidy(): void {
    for (const one of this.open) if (one.isClosed) this.open.delete(one);
    for (const one of this.held) {
      const left = one.waiting.filter(({ answers }) => answers === 0);
      one.waiting.splice(0, one.waiting.length, ...left);
    }
    const kept = this.held.filter((one) => !one.isRetired || !isOver(one));
    this.held.splice(0, this.held.length, ...kept);
  }
}

/** Nothing of a cluster is counted any more. */
function isOver({ cluster, retries }: Held): boolean {
  const { connections, pending } = cluster.summary();
  return connections === 0 && pending === 0 && retries === 0;
}
