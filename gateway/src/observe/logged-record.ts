/** What a line of the access log is made of: an exchange, or what was passed on as bytes or datagrams. */
import type { ExchangeRecord, StreamRecord } from "./contract.ts";

/** An exchange is one as it is; of what was passed on, all that belongs to HTTP is missing. */
export interface LoggedRecord extends Omit<ExchangeRecord, "protocol" | "status" | "attempts"> {
  readonly protocol: ExchangeRecord["protocol"] | StreamRecord["protocol"];
  /** Undefined where there is no HTTP. */
  readonly status: number | undefined;
  readonly attempts: number | undefined;
  /** Of TLS that is passed on. */
  readonly serverName?: string | undefined;
}

const NO_HTTP = {
  method: "",
  originalPath: "",
  authority: "",
  scheme: "http",
  status: undefined,
  attempts: undefined,
  requestId: "",
  pathPart: undefined,
  agentPart: undefined,
  idPair: undefined,
  upstreamStartedAt: 0,
  upstreamFailure: "",
  requestHeader: () => undefined,
  responseHeader: () => undefined,
  isGrpc: false,
  responseTrailer: () => undefined,
} as const;

/** A stream as a line sees it; holds nothing of the record. */
export function toLoggedStream(record: StreamRecord): LoggedRecord {
  return {
    ...NO_HTTP,
    protocol: record.protocol,
    listenerMetrics: record.listenerMetrics,
    listenerKey: record.listenerKey,
    flag: record.flag,
    details: record.details,
    bytesReceived: record.bytesReceived,
    bytesSent: record.bytesSent,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    downstreamRemote: record.downstreamRemote,
    downstreamLocal: record.downstreamLocal,
    downstreamPeer: record.downstreamPeer,
    clientAddress: record.clientAddress,
    upstreamHost: record.upstreamHost,
    upstreamCluster: record.upstreamCluster,
    routeName: record.routeName,
    tls: record.tls,
    serverName: record.serverName,
  };
}
