/** Clusters at random: any limits, with and without outlier detection and checks. */
import type { Cluster } from "@sallyport/model/cluster";
import type { Limits, OutlierDetection } from "@sallyport/model/traffic";
import { below, pick } from "@sallyport/testkit/random";
import { toConfig } from "./fakes.ts";

const HEALTH_CHECK = {
  probe: { kind: "tcp" },
  interval: 60,
  unhealthyInterval: 30,
  timeout: 10,
  unhealthyThreshold: 2,
  healthyThreshold: 1,
} as const satisfies Cluster["healthCheck"];

/** A cluster of this key; its protocol is what it was, where it was there. */
export function toRandomCluster(random: () => number, key: string, protocol?: Cluster["protocol"]): Cluster {
  const half = (): boolean => random() < 0.5;
  return toConfig({
    key,
    protocol: protocol ?? (half() ? "http1" : "http2"),
    limits: toLimits(random),
    pool: { idleTimeout: 200, maxLifetime: half() ? 0 : 300, ...(half() && { maxRequests: 3 }) },
    retryBudget: { kind: "concurrent", percent: 100, minimum: 5 },
    panicThreshold: pick(random, [0, 50, 80]),
    ...(half() && { outlierDetection: toDetection(random) }),
    ...(half() && { healthCheck: HEALTH_CHECK }),
  } satisfies Partial<Cluster>);
}

function toLimits(random: () => number): Limits {
  return {
    connections: 1 + below(random, 8),
    pending: below(random, 6),
    ...(random() < 0.5 && { requests: 1 + below(random, 10) }),
    ...(random() < 0.5 && { retries: below(random, 4) }),
    ...(random() < 0.5 && { connectionsPerEndpoint: 1 + below(random, 4) }),
  };
}

function toDetection(random: () => number): OutlierDetection {
  return {
    consecutive5xx: 1 + below(random, 3),
    consecutiveGatewayErrors: below(random, 2),
    splitLocalOrigin: false,
    consecutiveLocalOrigin: 0,
    interval: 100,
    baseEjectionTime: 40,
    maxEjectionTime: 100,
    maxEjectionPercent: pick(random, [0, 40, 100]),
  };
}
