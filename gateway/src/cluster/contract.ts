/**
 * The seam between exchanges, clusters and the upstream codecs: an exchange asks a cluster for a connection, the cluster
 * picks an endpoint, reuses or opens a connection, and assigns it. Everything is synchronous on the fast path.
 */
import type { Cluster, Http2ClientOptions, UpstreamTls } from "@sallyport/model/cluster";
import type { EndpointSet } from "@sallyport/model/endpoint";
import type { FaultReason } from "@sallyport/model/fault";
import type { HashKey, Locality } from "@sallyport/model/traffic";
import type { AnswerReceiver, UpstreamStream } from "../exchange/contract.ts";
import type { ActiveCounts, ClusterCounts, LimitName, Recorder } from "../observe/contract.ts";
import type { TableShortage } from "./balancer/table-room.ts";
import type { LeftOutAddress } from "./dns/left-out.ts";
import type { ClusterSummary, EndpointSummary, LimitState } from "./summary/contract.ts";

/** One upstream address at run time, shared by all routes of its cluster. */
export interface UpstreamEndpoint {
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
  /** `address:port` with IPv6 in brackets, for logs. */
  readonly label: string;
  /** As in EndpointSummary; datagram sessions end once it is `removed`. Absent: `ready`. */
  readonly state?: EndpointSummary["state"];
  /** Requests on it now, over all workers where shared memory counts them. */
  active(): number;
  /**
   * Stands for it where clients keep their session (GEP-1619): 16 hex digits that say nothing of its address, the same for as long as
   * cluster and address are.
   */
  readonly session: string;
  /**
   * One try on it ended with an answer of this status (the final one: 101 or 200 to 599). Called once a try, as its head comes; for a
   * gRPC call that fails in its head with what that is in HTTP. A connection that came up for a stream is 200.
   */
  noteAnswer(status: number): void;
  /**
   * One try on it ended without an answer, by its doing or that of the way there (FAULTS: source `upstream`); or, after
   * noteAnswer, its answer broke off.
   */
  noteFailure(reason: FaultReason): void;
}

/** Who asks for a connection: one try of an exchange (or of a mirror). */
export interface ConnectionRequest {
  /** It asks for another protocol (Upgrade, extended CONNECT): only a connection that is `upgradable` will do. */
  readonly upgrades: boolean;
  /** An endpoint that could not be reached a moment ago: only another one will do, and without one it is refused. */
  readonly avoids?: UpstreamEndpoint | undefined;
  /** Endpoints that it failed on: another one is better, if there is one. */
  readonly tried?: readonly UpstreamEndpoint[] | undefined;
  /** The `session` of the endpoint that its client is at home on: that one, wherever it is fit to serve. */
  readonly session?: string | undefined;
  /** What decides where a consistent-hash balancer sends it: a hash (32 bits, unsigned) of the first of these keys that it has; undefined: none. */
  hashOf?(keys: readonly HashKey[]): number | undefined;
  /** Called once, possibly before `acquire` returns. `reused` is true for a connection that answered before. */
  assign(connection: UpstreamConnection, reused: boolean): void;
  /** Called once instead of assign: no connection will come. `failed` is the one it waited for, where that never came up. */
  refuse(reason: FaultReason, failed?: UpstreamConnection): void;
}

/** What a pool knows of an upstream connection; the codec owns the rest. */
export interface UpstreamConnection {
  readonly endpoint: UpstreamEndpoint;
  /**
   * How many exchanges it can carry at once, now: 1 for HTTP/1.1. What HTTP/2 may carry is known for sure only when the endpoint's
   * SETTINGS came; may fall to 0. Every change is told by onCapacity.
   */
  readonly capacity: number;
  /** Whether the protocol is settled: false while a TLS handshake is to choose it (`auto`), and open() must not be called before. */
  readonly settled: boolean;
  /** Whether it can carry a request that asks for another protocol (Upgrade, extended CONNECT); meaningful once connected. */
  readonly upgradable: boolean;
  /** False until the transport is up and, with TLS, the peer has proven who it is; messages may be handed over before. */
  readonly connected: boolean;
  /** What a TLS failure was about, in words and without secrets; "" for everything else. Set before a receiver hears of it. */
  readonly failureDetail: string;
  /** Begins one try of a request on it: called by whom it was assigned to, once per assignment, before anything else happens. */
  open(receiver: AnswerReceiver): UpstreamStream;
  /** Closes it once no exchange is on it any more; now, where none is. It is given no more exchanges. */
  close(): void;
}

/**
 * What the codec tells the owner (the pool) of a connection. That it drains or is gone comes before the exchanges on it hear of
 * it: their replays must find its room free, and a connection that was opened since.
 */
export interface ConnectionOwner {
  /** The transport is up, the protocol settled. */
  onConnected(connection: UpstreamConnection): void;
  /** One exchange on it is over and it can carry another instead. The pool may hand it out again before this returns. */
  onIdle(connection: UpstreamConnection): void;
  /** Its capacity is another. */
  onCapacity(connection: UpstreamConnection): void;
  /**
   * It takes no new exchanges any more (GOAWAY, stream ids used up); those on it go on, and each end of one is still told by onIdle.
   * onClosed follows. Not called where the connection is gone at once.
   */
  onDraining(connection: UpstreamConnection): void;
  /**
   * It is gone (closed, failed, or no longer usable), with all exchanges that were on it; called exactly once, after which the
   * owner forgets it. `failure` is why it never came up.
   */
  onClosed(connection: UpstreamConnection, failure?: FaultReason): void;
}

/** TLS towards the endpoints of a cluster, with everything it needs at hand. PEM. */
export interface UpstreamTlsSettings extends Pick<UpstreamTls, "serverName" | "identities"> {
  /** Hash of all of it. Contexts and sessions are kept by it, so that nothing proven under other settings is taken over. */
  readonly id: string;
  /** Hash without the client certificate: while it stays, open connections prove what they should. */
  readonly peerId: string;
  /** Undefined: those this machine trusts. */
  readonly authorities: readonly string[] | undefined;
  readonly revocations: readonly string[];
  readonly clientCertificate: { readonly chain: string; readonly key: string } | undefined;
  readonly minVersion: NonNullable<UpstreamTls["minVersion"]>;
  readonly maxVersion: NonNullable<UpstreamTls["maxVersion"]>;
  readonly ciphers: readonly string[] | undefined;
}

/** Who asks for an endpoint to make a connection (or a datagram session) of its own to. */
export interface EndpointRequest {
  /** As in ConnectionRequest; it has a source address and nothing else. */
  hashOf?(keys: readonly HashKey[]): number | undefined;
  /** Called once, possibly before `lease` returns. */
  assign(lease: EndpointLease): void;
  /** Called once instead of assign. */
  refuse(reason: FaultReason): void;
}

/** An endpoint with one connection counted on it. */
export interface EndpointLease {
  readonly endpoint: UpstreamEndpoint;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly tls: UpstreamTlsSettings | undefined;
  readonly proxyProtocol: Cluster["proxyProtocol"];
  /** As in OpenOptions. */
  readonly tcpKeepAlive?: number | undefined;
  /** The connection is closed. Called once. */
  release(): void;
}

/** What opening takes. */
export interface OpenOptions {
  /** Key of the cluster, for logs. */
  readonly cluster: string;
  readonly endpoint: UpstreamEndpoint;
  readonly tls: UpstreamTlsSettings | undefined;
  readonly protocol: Cluster["protocol"];
  readonly http2: Http2ClientOptions;
  /**
   * The request it is opened for asks for another protocol: with `auto` only HTTP/1.1 is offered, where every connection is
   * upgradable. With `http2` it is of no account: whether the endpoint takes extended CONNECT shows when its SETTINGS come.
   */
  readonly upgrades: boolean;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds of silence after which the kernel asks whether the other side still lives; undefined: it does not. */
  readonly tcpKeepAlive?: number | undefined;
  readonly owner: ConnectionOwner;
}

/** Opens a connection; given to the cluster by the engine. */
export type OpenConnection = (options: OpenOptions) => UpstreamConnection;

/** Where retries ask whether the cluster bears one more. */
export interface RetryGate {
  /** Counts a retry until end(); false: there are too many. */
  begin(): boolean;
  end(): void;
  /** A request that was counted as it came goes out again, and is no retry: it must not make room for one more. */
  repeat(): void;
}

/** A cluster as an exchange sees it. */
export interface UpstreamCluster {
  /** `namespace/service:port`. */
  readonly key: string;
  readonly retries: RetryGate;
  /**
   * Asks for a connection. `fresh` refuses idle ones (a replay after a dead keep-alive connection). May assign or refuse
   * before it returns, or queue the request until a connection is free.
   */
  acquire(request: ConnectionRequest, fresh: boolean): void;
  /**
   * Asks for an endpoint, for who makes its connection itself; another than `avoid` if there is one. It counts against the
   * limit of connections; over it the request is refused, it waits only while names are being resolved.
   */
  lease(request: EndpointRequest, avoid?: UpstreamEndpoint): void;
  /** Whether the endpoint of this session is there, draining or not, and fit. */
  serves(session: string): boolean;
  /** Gives up a queued request; a no-op for one that was assigned or refused. */
  cancel(request: ConnectionRequest | EndpointRequest): void;
}

/** A DNS answer. */
export interface ResolvedName {
  /** IP literals, at least one. */
  readonly addresses: readonly string[];
  /** Seconds the answer may be used; Infinity for what never changes (literals, the hosts file). */
  readonly ttl: number;
}

/** Why a name has no addresses: `negative` is the server's word that there are none, `failed` means nobody could say. */
export interface UnresolvedName {
  readonly kind: "negative" | "failed";
  /** For logs, e.g. "ESERVFAIL". */
  readonly detail: string;
}

/** Which addresses of a name are used; undefined: IPv4, and IPv6 only where there is no IPv4. */
export type AddressFamily = Extract<Cluster["discovery"], { kind: "dns" }>["family"];

/** Turns host names into addresses. */
export interface NameResolver {
  /** Never rejects. */
  resolve(hostname: string, family?: AddressFamily): Promise<ResolvedName | UnresolvedName>;
  /** Gives up what is under way. */
  close(): void;
}

/** What a worker's clusters stand on. */
export interface ClusterTableOptions {
  readonly open: OpenConnection;
  /** Milliseconds, monotonic; fine enough to tell parts of one apart. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Calls `run` once after so many milliseconds; returns what cancels it. */
  readonly schedule: (milliseconds: number, run: () => void) => () => void;
  readonly resolver: NameResolver;
  readonly counts: ActiveCounts;
  readonly limitCounts: ClusterCounts;
  /** Told of reuse and of waiting requests; connects and closes are the codec's to tell. */
  readonly recorder: Pick<
    Recorder,
    "upstreamReuse" | "upstreamPending" | "upstreamOverflow" | "upstreamBreaker" | "upstreamAddressesLeftOut"
  >;
  /** A name that could not be resolved, or can be again; one call a change. */
  readonly onNameState?: (clusterKey: string, hostname: string, state: "resolved" | UnresolvedName) => void;
  /** Some addresses of a name, or none any more, are left out of those that are used; one call a change. */
  readonly onLeftOut?: (clusterKey: string, hostname: string, leftOut: readonly LeftOutAddress[]) => void;
  /** A limit of a cluster is reached, or that is over; one call a change, over all workers. */
  readonly onLimit?: (clusterKey: string, limit: LimitName, state: LimitState) => void;
  /** Tables of consistent hashing are smaller than configured, or that is over; one call a change. */
  readonly onTableShortage?: (shortage: TableShortage) => void;
}

/**
 * Whether an endpoint is fit to be given requests: `ejected` by its failures (outlier detection), `unhealthy` by its checks, `unchecked`:
 * the first check is not over, so that it is used only where no other is.
 */
export type EndpointState = "fit" | "ejected" | "unhealthy" | "unchecked";

/** A cluster as its owner sees it. */
export interface ManagedCluster extends UpstreamCluster {
  /** Takes over configuration and endpoints in place; connections to endpoints that stay are kept. */
  update(config: Cluster, endpoints: EndpointSet | undefined, tls: UpstreamTlsSettings | undefined): void;
  /** Closes connections that have been idle too long. */
  sweep(): void;
  /**
   * No new runtime names it any more: idle connections close, requests that run (or begin on an older runtime) finish
   * and their connections are not kept.
   */
  retire(): void;
  /** Closes idle connections, refuses waiting requests; what is active is the codec's to close. */
  close(): void;
  summary(): ClusterSummary;
}

/** Where a proxy runs; "" where nobody said. */
export interface Place extends Locality {
  readonly node: string;
  /** For LocalityBalancing.priorities. */
  readonly labels: Readonly<Record<string, string>>;
  /** The region of zones, for endpoints that say their zone alone. */
  readonly regions: ReadonlyMap<string, string>;
}

/** All live clusters of one worker; one per worker, for its whole life. */
export interface ClusterTable {
  /** A new cluster; names begin to resolve at once, so that it is warm when its runtime becomes active. */
  create(config: Cluster, endpoints: EndpointSet | undefined, tls: UpstreamTlsSettings | undefined): ManagedCluster;
  /** Retires every cluster that is not in `used` (what became unused, or was made for a runtime that was dropped). */
  disposeUnused(used: ReadonlySet<ManagedCluster>): void;
  /** From now on endpoints that are meant for this place are preferred where all say whom they are meant for. */
  moveTo(place: Place): void;
  /** Call about once a second. */
  sweep(): void;
  /** Of every cluster, by key. */
  summaries(): ClusterSummary[];
  /** Closes all clusters and stops resolving. */
  close(): void;
}
