/**
 * The seam between exchanges, clusters and the upstream codecs: an exchange asks a cluster for a connection, the cluster
 * picks an endpoint, reuses or opens a connection, and assigns it. Everything is synchronous on the fast path.
 */
import type { FaultReason } from "@sallyport/model/fault";

/** One upstream address at run time, shared by all routes of its cluster. */
export interface UpstreamEndpoint {
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
  /** `address:port` with IPv6 in brackets, for logs. */
  readonly label: string;
  /** Requests on it now, over all workers where shared memory counts them. */
  active(): number;
}

/** Who asks for a connection: one try of an exchange (or of a mirror). */
export interface ConnectionRequest {
  /** Called once, possibly before `acquire` returns. `reused` is true for a connection that answered before. */
  assign(connection: UpstreamConnection, reused: boolean): void;
  /** Called once instead of assign: no connection will come. */
  refuse(reason: FaultReason): void;
}

/** What a pool knows of an upstream connection; the codec owns the rest. */
export interface UpstreamConnection {
  readonly endpoint: UpstreamEndpoint;
  /** False until the transport is up; bytes may be written before that. */
  readonly connected: boolean;
  /** Closes it now; no exchange is on it. */
  close(): void;
}

/** What the codec tells the owner (the pool) of a connection. */
export interface ConnectionOwner {
  /** The transport is up. */
  onConnected(connection: UpstreamConnection): void;
  /** The exchange on it is over and it can carry another. The pool may hand it out again before this returns. */
  onIdle(connection: UpstreamConnection): void;
  /** It is gone (closed, failed, or no longer usable); called exactly once, after which the owner forgets it. */
  onClosed(connection: UpstreamConnection): void;
}

/** What opening takes. */
export interface OpenOptions {
  readonly endpoint: UpstreamEndpoint;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly owner: ConnectionOwner;
}

/** Opens a connection of one protocol; given to the cluster by the engine. */
export type OpenConnection = (options: OpenOptions) => UpstreamConnection;

/** A cluster as an exchange sees it. */
export interface UpstreamCluster {
  /** `namespace/service:port`. */
  readonly key: string;
  /**
   * Asks for a connection. `fresh` refuses idle ones (a replay after a dead keep-alive connection). May assign or refuse
   * before it returns, or queue the request until a connection is free.
   */
  acquire(request: ConnectionRequest, fresh: boolean): void;
  /** Gives up a queued request; a no-op for one that was assigned or refused. */
  cancel(request: ConnectionRequest): void;
}
