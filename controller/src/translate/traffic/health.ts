/** The fields `healthCheck` and `circuitBreaker` of a policy. */
import type { HealthCheck, HealthProbe, OutlierDetection } from "@sallyport/model/traffic";
import type {
  BackendTrafficPolicyActiveCheck,
  BackendTrafficPolicyCircuitBreaker,
  BackendTrafficPolicyHealthCheck,
  BackendTrafficPolicyPassiveCheck,
} from "../../kube/generated/types/backend-traffic-policy.ts";
import type { FieldSettings } from "./settings.ts";
import type { ValueReader } from "./values.ts";

/** Translates `spec.healthCheck`. */
export function translateHealthCheck(
  { active, passive, panicThreshold }: BackendTrafficPolicyHealthCheck,
  path: string,
  read: ValueReader,
): FieldSettings {
  const healthCheck = active && toHealthCheck(active, `${path}.active`, read);
  const outlierDetection = passive && toOutlierDetection(passive, `${path}.passive`, read);
  return {
    cluster: {
      ...(outlierDetection === undefined ? {} : { outlierDetection }),
      ...(healthCheck === undefined ? {} : { healthCheck }),
      panicThreshold,
    },
  };
}

function toHealthCheck(
  active: BackendTrafficPolicyActiveCheck,
  path: string,
  read: ValueReader,
): HealthCheck | undefined {
  const probe = toProbe(active, path, read);
  const interval = read.span(active.interval, `${path}.interval`);
  const unhealthyInterval = read.span(active.unhealthyInterval, `${path}.unhealthyInterval`) ?? interval;
  const timeout = read.span(active.timeout, `${path}.timeout`);
  if (probe === undefined || interval === undefined || unhealthyInterval === undefined || timeout === undefined)
    return undefined;
  const { port, unhealthyThreshold, healthyThreshold } = active;
  return {
    probe,
    ...(port === undefined ? {} : { port }),
    interval,
    unhealthyInterval,
    timeout,
    unhealthyThreshold,
    healthyThreshold,
  };
}

const OK = [200];

/** Undefined where nobody can tell which answers are good: endpoints that are well would be taken out. */
function toProbe(
  { type, http, grpc }: BackendTrafficPolicyActiveCheck,
  path: string,
  read: ValueReader,
): HealthProbe | undefined {
  if (type === "GRPC") return { kind: "grpc", service: grpc?.service ?? "" };
  if (type === "TCP" || http === undefined) return { kind: "tcp" };
  const { method, path: target, host, expectedStatuses = OK } = http;
  const statuses = read.statuses(expectedStatuses, `${path}.http.expectedStatuses`);
  if (statuses.length < expectedStatuses.length) return undefined;
  return { kind: "http", method, path: target, ...(host === undefined ? {} : { host }), statuses };
}

/** Longest ejection where the policy does not say, as in Envoy. */
const LONGEST_EJECTION = 300_000;

function toOutlierDetection(
  passive: BackendTrafficPolicyPassiveCheck,
  path: string,
  read: ValueReader,
): OutlierDetection | undefined {
  const interval = read.span(passive.interval, `${path}.interval`);
  const baseEjectionTime = read.span(passive.baseEjectionTime, `${path}.baseEjectionTime`);
  const longest = read.span(passive.maxEjectionTime, `${path}.maxEjectionTime`);
  if (interval === undefined || baseEjectionTime === undefined) return undefined;
  return {
    consecutive5xx: passive.consecutive5xxErrors,
    consecutiveGatewayErrors: passive.consecutiveGatewayErrors,
    splitLocalOrigin: passive.splitExternalLocalOriginErrors,
    consecutiveLocalOrigin: passive.consecutiveLocalOriginFailures,
    ...(passive.statuses === undefined ? {} : { statuses: [...passive.statuses] }),
    interval,
    baseEjectionTime,
    maxEjectionTime: longest ?? Math.max(LONGEST_EJECTION, baseEjectionTime),
    maxEjectionPercent: passive.maxEjectionPercent,
  };
}

/** Translates `spec.circuitBreaker`; limits that it does not name stay as they are. */
export function translateCircuitBreaker(spec: BackendTrafficPolicyCircuitBreaker): FieldSettings {
  const { maxConnections, maxPendingRequests, maxParallelRequests, maxParallelRetries } = spec;
  const { maxRequestsPerConnection, perEndpoint } = spec;
  const limits = {
    ...(maxConnections === undefined ? {} : { connections: maxConnections }),
    ...(maxPendingRequests === undefined ? {} : { pending: maxPendingRequests }),
    ...(maxParallelRequests === undefined ? {} : { requests: maxParallelRequests }),
    ...(maxParallelRetries === undefined ? {} : { retries: maxParallelRetries }),
    ...(perEndpoint?.maxConnections === undefined ? {} : { connectionsPerEndpoint: perEndpoint.maxConnections }),
  };
  const pool = maxRequestsPerConnection === undefined ? {} : { pool: { maxRequests: maxRequestsPerConnection } };
  return { cluster: { limits, ...pool } };
}
