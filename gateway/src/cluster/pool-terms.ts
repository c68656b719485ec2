/** What a pool of connections stands on, and what its connections are opened with. */
import { type Cluster, DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type { BoundRequest } from "./bound-requests.ts";
import type { ClusterBreaker } from "./breaker.ts";
import type { ClusterTableOptions, OpenOptions, UpstreamTlsSettings } from "./contract.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** What connections are opened with, as configured now. */
export interface PoolTerms {
  readonly config: Cluster;
  readonly tls: UpstreamTlsSettings | undefined;
}

/** What it stands on. */
export type PoolOptions = Pick<ClusterTableOptions, "open" | "now" | "recorder"> & { readonly breaker: ClusterBreaker };

/** Who has the requests that wait: the cluster. */
export interface PoolOwner {
  /** Whether anybody waits. */
  readonly isWaitedFor: boolean;
  /** This connection can carry more. */
  onRoom(pooled: PooledConnection): void;
  /** There may be room for another connection. */
  onBudget(): void;
  /** The connection they waited for cannot carry them: they wait again, as the first, in this order. */
  onReturned(requests: readonly BoundRequest[]): void;
}

/** What RFC 9113 section 6.5.2 recommends as the least: expected of an endpoint that nothing is known of. */
const EXPECTED_CAPACITY = 100;

/** What this connection is opened with. */
export function toOpenOptions({ config, tls }: PoolTerms, pooled: PooledConnection, upgrades: boolean): OpenOptions {
  const { key: cluster, connectTimeout, protocol, http2 = DEFAULT_HTTP2_CLIENT_OPTIONS } = config;
  const { tcpKeepAlive } = config.pool;
  const { host: endpoint } = pooled;
  return { cluster, endpoint, tls, protocol, http2, upgrades, connectTimeout, tcpKeepAlive, owner: pooled };
}

/** How many requests a connection is believed to carry before its protocol is chosen. */
export function toExpectedCapacity({ config }: PoolTerms, { forUpgrades, host }: PooledConnection): number {
  if (forUpgrades) return 1;
  const { maxConcurrentStreams } = config.http2 ?? DEFAULT_HTTP2_CLIENT_OPTIONS;
  return host.knownCapacity || Math.min(maxConcurrentStreams, EXPECTED_CAPACITY);
}
