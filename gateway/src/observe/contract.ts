/**
 * The seam between the data path and what is seen of it from outside. The data path writes plain numbers into cells of its
 * own stripe of shared memory and hands a finished exchange to the recorder; everything else happens elsewhere.
 */
import type { ResponseFlag } from "@sallyport/model/fault";
import type { DownstreamTls } from "../exchange/contract.ts";
import type { TextPair, TextPart } from "./text-parts.ts";

/** What is known of an exchange when it is over. Reused by the codec: a recorder must not keep it. */
export interface ExchangeRecord {
  /** Metric block of its listener. */
  readonly listenerMetrics: number;
  readonly listenerKey: string;
  readonly method: string;
  /** As the client sent it, with query. */
  readonly originalPath: string;
  readonly authority: string;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
  readonly scheme: "http" | "https";
  /** 0 where nothing could be sent. */
  readonly status: number;
  readonly flag: ResponseFlag;
  /** Fault reason or local-reply detail, "via_upstream" for an upstream answer (Envoy's %RESPONSE_CODE_DETAILS%). */
  readonly details: string;
  readonly requestId: string;
  /** originalPath, the value of User-Agent and requestId as they are cheapest to note; undefined: ask for them by their names. */
  readonly pathPart: TextPart | undefined;
  readonly agentPart: TextPart | undefined;
  readonly idPair: TextPair | undefined;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Milliseconds of performance.now(): first byte of the head, and end of the exchange. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** First byte of the upstream's answer; 0 where there was none. */
  readonly upstreamStartedAt: number;
  /** `address:port` of peer and trusted client address. */
  readonly downstreamRemote: string;
  readonly downstreamLocal: string;
  /** `address:port` of the socket's peer, which a PROXY header may have spoken for. */
  readonly downstreamPeer: string;
  readonly tls: DownstreamTls | undefined;
  readonly clientAddress: string;
  /** `address:port`, or "-". */
  readonly upstreamHost: string;
  readonly upstreamCluster: string;
  /** What a TLS failure towards the endpoint was about, in words; "" where there was none. */
  readonly upstreamFailure: string;
  /** How often it went to an endpoint, whether that could be reached or not. */
  readonly attempts: number;
  readonly routeName: string;
  /** It is a gRPC call, or was made one. */
  readonly isGrpc: boolean;
  /** A request header as it came (lower-case name), and a response header as it left; a trailer as upstream sent it. */
  requestHeader(name: string): string | undefined;
  responseHeader(name: string): string | undefined;
  responseTrailer(name: string): string | undefined;
}

/** What is known of a passed-on connection or datagram session when it is over. Reused: a recorder must not keep it. */
export interface StreamRecord extends Pick<
  ExchangeRecord,
  | "listenerMetrics"
  | "listenerKey"
  | "flag"
  | "details"
  | "bytesReceived"
  | "bytesSent"
  | "startedAt"
  | "endedAt"
  | "downstreamRemote"
  | "downstreamLocal"
  | "downstreamPeer"
  | "clientAddress"
  | "upstreamHost"
  | "upstreamCluster"
  | "routeName"
  | "tls"
> {
  readonly protocol: "TCP" | "TLS" | "UDP";
  /** Of TLS that is passed on; undefined where none was sent. */
  readonly serverName: string | undefined;
  /** 0 but for UDP. */
  readonly datagramsReceived: number;
  readonly datagramsSent: number;
}

/** How a TLS handshake with a client ended. `refused`: nobody serves the server name. */
export type HandshakeOutcome = "full" | "resumed" | "failed" | "refused";

/**
 * What a rule's retry policy led to: one more try (`made`); the end of a request with an answer after that (`success`); its end
 * because its attempts were used up or the answer asked for too long a wait (`exhausted`), or because the cluster's budget was used up
 * (`overflow`).
 */
export type RetryEvent = "made" | "success" | "exhausted" | "overflow";

/** Of which there can be too many on a cluster (model Limits). */
export type LimitName = "connections" | "pending" | "requests" | "retries";

/** What bodies of requests are kept for: to be sent once more, or until they are whole. */
export type BodyPurpose = "retry" | "whole";

/** Takes note of what happens on the data path. One per worker. */
export interface Recorder {
  exchange(record: ExchangeRecord): void;
  stream(record: StreamRecord): void;
  handshake(listenerMetrics: number, outcome: HandshakeOutcome): void;
  connectionOpened(listenerMetrics: number): void;
  connectionClosed(listenerMetrics: number): void;
  /** A connection was closed at once: its port had as many as it may have. */
  connectionLimited(listenerMetrics: number): void;
  upstreamConnect(outcome: "success" | "failure" | "timeout"): void;
  upstreamReuse(): void;
  upstreamClosed(): void;
  upstreamRetry(event: RetryEvent): void;
  /** Change of the bytes of request bodies that are kept. */
  bodyKept(purpose: BodyPurpose, change: number): void;
  /** There was no room to keep one. */
  bodyRefused(purpose: BodyPurpose): void;
  /** Addresses in an answer of DNS that are left out, as no backend can be there. */
  upstreamAddressesLeftOut(count: number): void;
  /** Change of the number of requests that wait for a connection. */
  upstreamPending(change: 1 | -1): void;
  /** A request met this limit of its cluster: it waits, is refused, or is not tried again. */
  upstreamOverflow(limit: LimitName): void;
  /** Change of the number of clusters on which this limit is reached. */
  upstreamBreaker(limit: LimitName, change: 1 | -1): void;
}

/** Returned by ActiveCounts.claim where no slot was free. */
export const NO_SLOT = -1;

/**
 * How many requests are on each upstream endpoint, over all workers: one stripe of shared memory per worker. A slot is
 * found by key, so every worker and every runtime that names an endpoint counts in the same one. Where the table is full
 * the caller counts for itself (this worker only) and the gateway says so once in its log.
 */
export interface ActiveCounts {
  /** Takes a reference to the slot of this endpoint, made if it is new. NO_SLOT where none is free. */
  claim(clusterKey: string, endpointLabel: string): number;
  /** Gives the reference back; the slot is freed with the last one. No-op for NO_SLOT. */
  release(slot: number): void;
  /** One request more (1) or less (-1) of this worker's; one plain addition, no atomics. */
  add(slot: number, change: 1 | -1): void;
  /** Requests of all workers. */
  total(slot: number): number;
}

/** What limits count of a cluster, as the words it is kept in. `connections` includes those that are `draining`. */
export const COUNTED = { connections: 0, draining: 1, pending: 2, requests: 3, retries: 4 } as const;
/** One of these. */
export type Counted = (typeof COUNTED)[keyof typeof COUNTED];

/** What limits count of one cluster (or of one of its endpoints), over all workers. */
export interface ClusterCount {
  /** So many more (or, negative, less) of this view's; plain additions, no atomics. */
  add(kind: Counted, change: number): void;
  /** What this view has added. */
  mine(kind: Counted): number;
  /** What all views of all workers have added. */
  total(kind: Counted): number;
  /** Says that the limit is reached: whether nobody else had said so. */
  raise(kind: Counted): boolean;
  /** Takes back what this worker has said. */
  lower(kind: Counted): void;
  isRaised(kind: Counted): boolean;
  /** The place in shared memory is given back once nothing of this view is counted; what comes after is counted apart. */
  release(): void;
}

/** Counts for limits; a place is found by key, so that every worker and every runtime counts in the same one. */
export interface ClusterCounts {
  claim(key: string): ClusterCount;
}
