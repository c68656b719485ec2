/** All clusters of one worker, from the compilation that makes them to the last request on them. */
import type { Cluster } from "@sallyport/model/cluster";
import type { EndpointSet } from "@sallyport/model/endpoint";
import { TableShelf } from "./balancer/table-shelf.ts";
import { type ClusterOptions, PooledCluster } from "./cluster.ts";
import type { ClusterTable, ClusterTableOptions, ManagedCluster, Place, UpstreamTlsSettings } from "./contract.ts";
import { DnsDiscovery } from "./dns/discovery.ts";
import type { HealthOptions } from "./health/contract.ts";
import { HealthWatch } from "./health/health-watch.ts";
import { NOWHERE } from "./locality.ts";
import type { ClusterSummary } from "./summary/contract.ts";

/** What a table stands on; without `health` endpoints are fit, whatever is configured. */
export type TableOptions = ClusterTableOptions & { readonly health?: HealthOptions };

/** Opens the table of a worker. */
export function openClusterTable(options: TableOptions): ClusterTable {
  return new PooledClusterTable(options);
}

interface Entry {
  readonly cluster: PooledCluster;
  readonly discovery: DnsDiscovery | undefined;
}

class PooledClusterTable implements ClusterTable {
  readonly #options: ClusterTableOptions;
  readonly #tables: TableShelf;
  readonly #watch: HealthWatch | undefined;
  readonly #entries = new Map<ManagedCluster, Entry>();
  #place = NOWHERE;

  constructor(options: TableOptions) {
    const { health, now, random, schedule } = options;
    this.#options = options;
    this.#tables = new TableShelf(options);
    this.#watch = health && new HealthWatch({ ...health, now, random, schedule });
  }

  create(config: Cluster, endpoints: EndpointSet | undefined, tls: UpstreamTlsSettings | undefined): ManagedCluster {
    const cluster = new PooledCluster(config, this.#toClusterOptions());
    cluster.moveTo(this.#place);
    cluster.update(config, endpoints, tls);
    this.#entries.set(cluster, { cluster, discovery: this.#discover(config, cluster) });
    return cluster;
  }

  disposeUnused(used: ReadonlySet<ManagedCluster>): void {
    for (const [cluster, { discovery }] of this.#entries) {
      if (used.has(cluster)) continue;
      this.#entries.delete(cluster);
      discovery?.close();
      cluster.retire();
    }
  }

  moveTo(place: Place): void {
    this.#place = place;
    for (const { cluster } of this.#entries.values()) cluster.moveTo(place);
  }

  sweep(): void {
    for (const cluster of this.#entries.keys()) cluster.sweep();
  }

  summaries(): ClusterSummary[] {
    const summaries = Array.from(this.#entries.keys(), (cluster) => cluster.summary());
    return summaries.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  close(): void {
    for (const [cluster, { discovery }] of this.#entries) {
      discovery?.close();
      cluster.close();
    }
    this.#entries.clear();
    this.#options.resolver.close();
  }

  #toClusterOptions(): ClusterOptions {
    const options = { ...this.#options, tables: this.#tables };
    return this.#watch === undefined ? options : { ...options, watch: this.#watch };
  }

  #discover(config: Cluster, cluster: PooledCluster): DnsDiscovery | undefined {
    const { discovery } = config;
    if (discovery.kind !== "dns") return undefined;
    const { resolver, schedule, random, recorder, onNameState, onLeftOut } = this.#options;
    return new DnsDiscovery({
      resolver,
      schedule,
      random,
      discovery,
      onEndpoints: (endpoints, absence) => cluster.setEndpoints(endpoints, absence),
      onNameState: (hostname, state) => onNameState?.(config.key, hostname, state),
      countLeftOut: (count) => recorder.upstreamAddressesLeftOut(count),
      onLeftOut: (hostname, leftOut) => onLeftOut?.(config.key, hostname, leftOut),
    });
  }
}
