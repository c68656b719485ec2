/** Clusters of a Service port that differ from its own one in what policies say, and a cluster with what they say. */
import { type Cluster, DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import { digest } from "../digest.ts";
import type { ClusterTraffic } from "./settings.ts";

/** Settings of clusters by the text that stands for them in keys of clusters. */
export type TrafficVariants = ReadonlyMap<string, ClusterTraffic>;

/**
 * Stands for settings in the key of a cluster; undefined where they are those of the port itself. Equal settings share a cluster,
 * whichever policies they are of: its connections, its counts, what it knows of the health of endpoints.
 */
export function toVariant(settings: ClusterTraffic, own: ClusterTraffic): string | undefined {
  const text = toCanonicalText(settings);
  if (text === toCanonicalText(own)) return undefined;
  return digest(text).slice(0, VARIANT_LENGTH);
}

/** Long enough that no two settings of one Service will ever have the same, short enough for metrics and logs. */
const VARIANT_LENGTH = 12;

/** JSON with the fields of every object in one order. */
export function toCanonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** The part of a cluster that policies may say something of, its PROXY header and discovery aside. */
export function toClusterSettings(
  traffic: ClusterTraffic,
): Omit<Cluster, "kind" | "key" | "discovery" | "protocol" | "tls" | "proxyProtocol"> {
  const { http2, locality, outlierDetection, healthCheck, panicThreshold, retryBudget } = traffic;
  return {
    ...(http2 === undefined ? {} : { http2 }),
    balancer: traffic.balancer ?? DEFAULT_CLUSTER.balancer,
    ...(locality === undefined ? {} : { locality }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    ...(panicThreshold === undefined ? {} : { panicThreshold }),
    connectTimeout: traffic.connectTimeout ?? DEFAULT_CLUSTER.connectTimeout,
    limits: { ...DEFAULT_CLUSTER.limits, ...traffic.limits },
    ...(retryBudget === undefined ? {} : { retryBudget }),
    pool: { ...DEFAULT_CLUSTER.pool, ...traffic.pool },
  };
}
