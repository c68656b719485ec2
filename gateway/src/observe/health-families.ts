/** The metric families of the health of endpoints. None has a label by endpoint or cluster: /clusters of the admin interface says which. */
import { TOTAL, VERDICT, WORD } from "./health-words.ts";
import type { MetricFamily } from "./metric-family.ts";

/** In the order in which they are exported. */
export const HEALTH_FAMILIES: readonly MetricFamily[] = [
  {
    name: "sallyport_upstream_ejections_total",
    type: "counter",
    labels: ["cause"],
    help: "Endpoints ejected by outlier detection, by what came in a row: consecutive-5xx, consecutive-gateway-errors or consecutive-local-origin",
    read: ({ active: { health } }) => [
      { labels: { cause: "consecutive-5xx" }, value: health.counted(TOTAL.ejectedForServerErrors) },
      { labels: { cause: "consecutive-gateway-errors" }, value: health.counted(TOTAL.ejectedForGatewayErrors) },
      { labels: { cause: "consecutive-local-origin" }, value: health.counted(TOTAL.ejectedForLocalErrors) },
    ],
  },
  {
    name: "sallyport_upstream_ejections_prevented_total",
    type: "counter",
    labels: [],
    help: "Ejections that were due, but too many endpoints of the cluster were ejected already",
    read: ({ active: { health } }) => [{ labels: {}, value: health.counted(TOTAL.ejectionsPrevented) }],
  },
  {
    name: "sallyport_upstream_endpoints_ejected",
    type: "gauge",
    labels: [],
    help: "Endpoints that are ejected now",
    read: ({ active }) => [{ labels: {}, value: active.countHealth(WORD.ejected, 1) }],
  },
  {
    name: "sallyport_upstream_health_checks_total",
    type: "counter",
    labels: ["outcome"],
    help: "Health checks of endpoints, by outcome: passed, failed or timed-out",
    read: ({ active: { health } }) => [
      { labels: { outcome: "passed" }, value: health.counted(TOTAL.checksPassed) },
      { labels: { outcome: "failed" }, value: health.counted(TOTAL.checksFailed) },
      { labels: { outcome: "timed-out" }, value: health.counted(TOTAL.checksTimedOut) },
    ],
  },
  {
    name: "sallyport_upstream_endpoints_unhealthy",
    type: "gauge",
    labels: [],
    help: "Endpoints whose health checks fail now",
    read: ({ active }) => [{ labels: {}, value: active.countHealth(WORD.verdict, VERDICT.unhealthy) }],
  },
];
