/**
 * The fields of a log line where the operator names no format: those of Istio's default that can have a value here, in its
 * order. As formats, for whoever wants to see or change them, and as one function that reads them all, which in a loaded proxy
 * costs a third of twenty small ones. A test holds the two together.
 */
import type { AccessRow } from "./access-format.ts";
import { toClient, toDuration, toForwardedFor, toName, toServiceTime } from "./access-operators.ts";
import type { WallClock } from "./access-time.ts";
import { toFailure, toServerName } from "./access-tls.ts";
import type { LoggedRecord } from "./logged-record.ts";

/** Fields and their formats. */
export const DEFAULT_FIELDS: Readonly<Record<string, string>> = {
  authority: "%REQ(:AUTHORITY)%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  duration: "%DURATION%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  request_id: "%REQ(X-REQUEST-ID)%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  response_code: "%RESPONSE_CODE%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  response_flags: "%RESPONSE_FLAGS%",
  route_name: "%ROUTE_NAME%",
  start_time: "%START_TIME%",
  upstream_cluster: "%UPSTREAM_CLUSTER%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  user_agent: "%REQ(USER-AGENT)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
};

/**
 * The values of DEFAULT_FIELDS, in their order. Those that take a call come first: an array that is filled without one is
 * written without barriers.
 */
export function readDefaultFields(record: LoggedRecord, clock: WallClock): AccessRow {
  const agent = record.agentPart ?? record.requestHeader("user-agent");
  const forwardedFor = toForwardedFor(record);
  const client = toClient(record);
  const startTime = clock.toIsoPair(record.startedAt);
  const authority = toName(record.authority);
  const local = toName(record.downstreamLocal);
  const method = toName(record.method);
  const path = record.pathPart ?? toName(record.originalPath);
  const requestId = record.idPair ?? toName(record.requestId);
  const details = toName(record.details);
  const routeName = toName(record.routeName);
  const cluster = toName(record.upstreamCluster);
  const host = toName(record.upstreamHost);
  const serverName = toServerName(record);
  const failure = toFailure(record);
  const { bytesReceived, bytesSent, protocol, status, flag } = record;
  const duration = toDuration(record);
  const serviceTime = toServiceTime(record);
  return [
    authority,
    bytesReceived,
    bytesSent,
    local,
    client,
    duration,
    method,
    path,
    protocol,
    requestId,
    serverName,
    status,
    details,
    flag,
    routeName,
    startTime,
    cluster,
    host,
    serviceTime,
    failure,
    agent,
    forwardedFor,
  ];
}
