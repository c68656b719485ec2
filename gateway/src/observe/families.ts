/**
 * Every metric family the gateway exports, as data: name, type, labels, help, and how to read its samples. The exposition,
 * the admin's /stats and docs/metrics.md come from this one table.
 */
import { BODY_FAMILIES } from "./body-families.ts";
import { GLOBAL, LIMIT_NAMES, LISTENER, RETRY_EVENTS, toLimitCell, toRetryCell } from "./cells.ts";
import { HEALTH_FAMILIES } from "./health-families.ts";
import type { MetricFamily } from "./metric-family.ts";
import { readCpu, readOpenFiles, readResidentMemory, readStartTime } from "./process-facts.ts";
import { readHistogram, readListeners, readNamed, readRequests, readWorkers } from "./samples.ts";
import { REMOTE_FAMILIES } from "./remote-families.ts";
import { STREAM_FAMILIES } from "./stream-families.ts";

/** All families, in the order in which they are exported. */
export const METRIC_FAMILIES: readonly MetricFamily[] = [
  {
    name: "sallyport_http_requests_total",
    type: "counter",
    labels: ["listener", "code_class", "flag"],
    help: "Finished requests by status class (none where nothing could be sent) and response flag",
    read: readRequests,
  },
  {
    name: "sallyport_http_request_duration_seconds",
    type: "histogram",
    labels: ["listener"],
    help: "Time from the first byte of a request to the end of its exchange",
    read: readHistogram,
  },
  {
    name: "sallyport_http_request_body_bytes_total",
    type: "counter",
    labels: ["listener"],
    help: "Body bytes received from clients",
    read: (source) => readListeners(source, LISTENER.bytesReceived),
  },
  {
    name: "sallyport_http_response_body_bytes_total",
    type: "counter",
    labels: ["listener"],
    help: "Body bytes sent to clients",
    read: (source) => readListeners(source, LISTENER.bytesSent),
  },
  {
    name: "sallyport_downstream_connections_total",
    type: "counter",
    labels: ["listener"],
    help: "Connections accepted from clients, and UDP sessions begun",
    read: (source) => readListeners(source, LISTENER.connections),
  },
  {
    name: "sallyport_downstream_connections_active",
    type: "gauge",
    labels: ["listener"],
    help: "Connections of clients open now, and UDP sessions",
    read: (source) => readListeners(source, LISTENER.connectionsActive),
  },
  {
    name: "sallyport_downstream_connections_refused_total",
    type: "counter",
    labels: [],
    help: "Connections closed at once because the limit of connections was reached",
    read: ({ cells }) => [{ labels: {}, value: cells.sum(GLOBAL.refused) }],
  },
  {
    name: "sallyport_downstream_connections_limited_total",
    type: "counter",
    labels: ["listener"],
    help: "Connections closed at once because the port had as many as its listeners may have (ClientTrafficPolicy)",
    read: (source) => readListeners(source, LISTENER.connectionsLimited),
  },
  ...STREAM_FAMILIES,
  {
    name: "sallyport_upstream_connects_total",
    type: "counter",
    labels: ["outcome"],
    help: "Connections opened to endpoints by outcome: success, failure or timeout",
    read: ({ cells }) => [
      { labels: { outcome: "success" }, value: cells.sum(GLOBAL.connectSuccess) },
      { labels: { outcome: "failure" }, value: cells.sum(GLOBAL.connectFailure) },
      { labels: { outcome: "timeout" }, value: cells.sum(GLOBAL.connectTimeout) },
    ],
  },
  {
    name: "sallyport_upstream_reuses_total",
    type: "counter",
    labels: [],
    help: "Requests sent on a connection that had answered before",
    read: ({ cells }) => [{ labels: {}, value: cells.sum(GLOBAL.reuse) }],
  },
  {
    name: "sallyport_upstream_retries_total",
    type: "counter",
    labels: [],
    help: "Tries made because the retry policy of a route asked for them",
    read: ({ cells }) => [{ labels: {}, value: cells.sum(toRetryCell("made")) }],
  },
  {
    name: "sallyport_upstream_retried_requests_total",
    type: "counter",
    labels: ["outcome"],
    help: "Requests that were to be retried, by outcome: success (answered after a retry), exhausted (all attempts were used up, or the answer asked for too long a wait) or overflow (the budget of the cluster was)",
    read: ({ cells }) =>
      RETRY_EVENTS.filter((event) => event !== "made").map((event) => ({
        labels: { outcome: event },
        value: cells.sum(toRetryCell(event)),
      })),
  },
  {
    name: "sallyport_upstream_connections_active",
    type: "gauge",
    labels: [],
    help: "Connections to endpoints open now",
    read: ({ cells }) => [{ labels: {}, value: cells.gauge(GLOBAL.upstreamActive) }],
  },
  {
    name: "sallyport_upstream_requests_pending",
    type: "gauge",
    labels: [],
    help: "Requests that wait for a connection to an endpoint",
    read: ({ cells }) => [{ labels: {}, value: cells.gauge(GLOBAL.upstreamPending) }],
  },
  {
    name: "sallyport_upstream_overflow_total",
    type: "counter",
    labels: ["limit"],
    help: "Requests that met a limit of their cluster: connections (they wait, or are refused), pending or requests (refused), retries (not tried again)",
    read: ({ cells }) =>
      LIMIT_NAMES.map((limit) => ({ labels: { limit }, value: cells.sum(toLimitCell("overflows", limit)) })),
  },
  {
    name: "sallyport_upstream_breakers_open",
    type: "gauge",
    labels: ["limit"],
    help: "Clusters on which this limit was reached within the last seconds",
    read: ({ cells }) =>
      LIMIT_NAMES.map((limit) => ({ labels: { limit }, value: cells.gauge(toLimitCell("breakersOpen", limit)) })),
  },
  {
    name: "sallyport_upstream_addresses_left_out_total",
    type: "counter",
    labels: [],
    help: "Addresses in answers of DNS that were left out because of their special use (loopback, link-local), once for each answer and worker",
    read: ({ cells }) => [{ labels: {}, value: cells.sum(GLOBAL.addressesLeftOut) }],
  },
  ...BODY_FAMILIES,
  ...HEALTH_FAMILIES,
  {
    name: "sallyport_route_requests_total",
    type: "counter",
    labels: ["route", "code_class"],
    help: "Finished requests by route, only with --metrics-labels route; routes beyond the cap count as other",
    read: (source) => readNamed(source, "routes", "requests"),
  },
  {
    name: "sallyport_route_request_seconds_total",
    type: "counter",
    labels: ["route"],
    help: "Sum of the durations of these requests",
    read: (source) => readNamed(source, "routes", "seconds"),
  },
  {
    name: "sallyport_cluster_requests_total",
    type: "counter",
    labels: ["cluster", "code_class"],
    help: "Finished requests by cluster, only with --metrics-labels cluster; clusters beyond the cap count as other",
    read: (source) => readNamed(source, "clusters", "requests"),
  },
  {
    name: "sallyport_cluster_request_seconds_total",
    type: "counter",
    labels: ["cluster"],
    help: "Sum of the durations of these requests",
    read: (source) => readNamed(source, "clusters", "seconds"),
  },
  {
    name: "sallyport_config_epoch",
    type: "gauge",
    labels: [],
    help: "Number of the configuration in force; 0 before the first",
    read: ({ facts }) => [{ labels: {}, value: facts().epoch }],
  },
  {
    name: "sallyport_config_applies_total",
    type: "counter",
    labels: ["outcome"],
    help: "Configurations offered, by outcome: applied or rejected",
    read: ({ facts }) => [
      { labels: { outcome: "applied" }, value: facts().applies },
      { labels: { outcome: "rejected" }, value: facts().rejects },
    ],
  },
  {
    name: "sallyport_config_last_applied_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When the configuration in force was applied; 0 before the first",
    read: ({ facts }) => [{ labels: {}, value: facts().appliedAt / 1000 }],
  },
  ...REMOTE_FAMILIES,
  {
    name: "sallyport_ready",
    type: "gauge",
    labels: [],
    help: "What /ready says: 1 where a complete configuration is served and no drain has begun",
    read: ({ facts }) => [{ labels: {}, value: facts().ready ? 1 : 0 }],
  },
  {
    name: "sallyport_memory_pressure",
    type: "gauge",
    labels: [],
    help: "What the memory guard does: 0 nothing, 1 ends keep-alive, 2 sheds requests",
    read: ({ facts }) => [{ labels: {}, value: facts().pressure }],
  },
  {
    name: "sallyport_workers",
    type: "gauge",
    labels: [],
    help: "Workers that serve",
    read: ({ facts }) => [{ labels: {}, value: facts().workersServing }],
  },
  {
    name: "sallyport_worker_replacements_total",
    type: "counter",
    labels: ["reason"],
    help: "Workers replaced, because they died or because they hung",
    read: ({ facts }) => [
      { labels: { reason: "died" }, value: facts().workersDied },
      { labels: { reason: "hung" }, value: facts().workersHung },
    ],
  },
  {
    name: "sallyport_worker_loop_lag_seconds",
    type: "gauge",
    labels: ["worker"],
    help: "How late the event loop of a worker came to its last heartbeat",
    read: (source) => readWorkers(source, GLOBAL.loopLag),
  },
  {
    name: "sallyport_worker_loop_busy_ratio",
    type: "gauge",
    labels: ["worker"],
    help: "Share of its time the event loop of a worker was busy since the heartbeat before",
    read: (source) => readWorkers(source, GLOBAL.loopBusy),
  },
  {
    name: "sallyport_worker_heap_bytes",
    type: "gauge",
    labels: ["worker"],
    help: "JavaScript heap a worker uses",
    read: (source) => readWorkers(source, GLOBAL.heapUsed),
  },
  {
    name: "sallyport_access_log_lines_total",
    type: "counter",
    labels: ["outcome"],
    help: "Access log lines, by outcome: written or dropped",
    read: ({ cells }) => [
      { labels: { outcome: "written" }, value: cells.sum(GLOBAL.logLines) },
      { labels: { outcome: "dropped" }, value: cells.sum(GLOBAL.logDropped) },
    ],
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    labels: [],
    help: "CPU time the process has used",
    read: readCpu,
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    labels: [],
    help: "Resident memory of the process",
    read: readResidentMemory,
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    labels: [],
    help: "When the process was started, since 1970",
    read: readStartTime,
  },
  { name: "process_open_fds", type: "gauge", labels: [], help: "Open file descriptors", read: readOpenFiles },
  {
    name: "process_max_fds",
    type: "gauge",
    labels: [],
    help: "Limit of open file descriptors",
    read: ({ facts }) => (Number.isFinite(facts().maxFiles) ? [{ labels: {}, value: facts().maxFiles }] : []),
  },
];

/** The table of docs/metrics.md. */
export function renderMetricTable(): string {
  const rows = METRIC_FAMILIES.map(({ name, type, labels, help }) => {
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`;
  });
  return ["| name | type | labels | meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}
