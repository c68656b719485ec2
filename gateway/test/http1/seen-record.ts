/** What exchanges and connections recorded, kept for assertions. */
import assert from "node:assert/strict";
import type {
  BodyPurpose,
  ExchangeRecord,
  HandshakeOutcome,
  Recorder,
  RetryEvent,
} from "../../src/observe/contract.ts";

/** A record as a plain object. */
export type SeenRecord = Omit<
  ExchangeRecord,
  "requestHeader" | "responseHeader" | "responseTrailer" | "pathPart" | "agentPart" | "idPair"
> & {
  readonly grpcStatus: string;
  readonly userAgent: string;
};

/** How often a recorder was told of connections. */
export interface RecorderCounts {
  opened: number;
  closed: number;
  limited: number;
  connects: number;
  disconnects: number;
  readonly handshakes: HandshakeOutcome[];
  readonly retries: RetryEvent[];
  /** Bytes of request bodies that are kept. */
  keptBytes: number;
  /** Those that there was no room for. */
  readonly unkept: BodyPurpose[];
}

/** Counts of a recorder that was told of nothing yet. */
export function toRecorderCounts(): RecorderCounts {
  return {
    opened: 0,
    closed: 0,
    limited: 0,
    connects: 0,
    disconnects: 0,
    handshakes: [],
    retries: [],
    keptBytes: 0,
    unkept: [],
  };
}

/** A recorder that keeps and counts. */
export function toRecorder(
  records: SeenRecord[],
  counts: RecorderCounts,
  onRecord?: (record: SeenRecord) => void,
): Recorder {
  return {
    exchange: (record) => {
      const seen = toSeen(record);
      records.push(seen);
      onRecord?.(seen);
    },
    stream: () => undefined,
    handshake: (_metrics, outcome) => void counts.handshakes.push(outcome),
    connectionOpened: () => void counts.opened++,
    connectionLimited: () => void counts.limited++,
    connectionClosed: () => void counts.closed++,
    upstreamConnect: () => void counts.connects++,
    upstreamReuse: () => undefined,
    upstreamAddressesLeftOut: () => undefined,
    upstreamRetry: (event) => void counts.retries.push(event),
    bodyKept: (_purpose, change) => void (counts.keptBytes += change),
    bodyRefused: (purpose) => void counts.unkept.push(purpose),
    upstreamClosed: () => void counts.disconnects++,
    upstreamPending: () => undefined,
    upstreamOverflow: () => undefined,
    upstreamBreaker: () => undefined,
  };
}

function toSeen(record: ExchangeRecord): SeenRecord {
  const { pathPart, agentPart, idPair } = record;
  if (pathPart !== undefined) assert.equal(String(pathPart), record.originalPath);
  if (agentPart !== undefined) assert.equal(String(agentPart), record.requestHeader("user-agent"));
  if (idPair !== undefined) assert.equal(String(idPair), record.requestId);
  return {
    listenerMetrics: record.listenerMetrics,
    listenerKey: record.listenerKey,
    method: record.method,
    originalPath: record.originalPath,
    authority: record.authority,
    protocol: record.protocol,
    scheme: record.scheme,
    status: record.status,
    flag: record.flag,
    details: record.details,
    requestId: record.requestId,
    bytesReceived: record.bytesReceived,
    bytesSent: record.bytesSent,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    upstreamStartedAt: record.upstreamStartedAt,
    downstreamRemote: record.downstreamRemote,
    downstreamLocal: record.downstreamLocal,
    downstreamPeer: record.downstreamPeer,
    tls: record.tls,
    clientAddress: record.clientAddress,
    upstreamHost: record.upstreamHost,
    upstreamCluster: record.upstreamCluster,
    upstreamFailure: record.upstreamFailure,
    attempts: record.attempts,
    routeName: record.routeName,
    isGrpc: record.isGrpc,
    grpcStatus: record.responseTrailer("grpc-status") ?? record.responseHeader("grpc-status") ?? "",
    userAgent: record.requestHeader("user-agent") ?? "",
  };
}
