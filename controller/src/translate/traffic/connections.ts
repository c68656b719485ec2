/** The fields `timeout`, `connection`, `http2`, `dns` and `proxyProtocol` of a policy. */
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type {
  BackendTrafficPolicyConnection,
  BackendTrafficPolicyDNS,
  BackendTrafficPolicyHTTP2,
  BackendTrafficPolicyProxyProtocol,
  BackendTrafficPolicyTimeout,
} from "../../kube/generated/types/backend-traffic-policy.ts";
import type { ClusterTraffic, FieldSettings, RuleTraffic } from "./settings.ts";
import type { ValueReader } from "./values.ts";

/** Stands for no limit where the data plane has none for it: the longest time of a timer. */
const NEVER = 2_147_483_647;

/** Translates `spec.timeout`. */
export function translateTimeout(spec: BackendTrafficPolicyTimeout, path: string, read: ValueReader): FieldSettings {
  return { rule: toRuleTimeouts(spec, path, read), cluster: toClusterTimeouts(spec, path, read) };
}

function toRuleTimeouts(spec: BackendTrafficPolicyTimeout, path: string, read: ValueReader): RuleTraffic {
  const requestTimeout = read.milliseconds(spec.request, `${path}.request`);
  const backendTimeout = read.milliseconds(spec.backendRequest, `${path}.backendRequest`);
  const streamIdleTimeout = read.milliseconds(spec.streamIdle, `${path}.streamIdle`);
  const maxDuration = read.milliseconds(spec.maxStreamDuration, `${path}.maxStreamDuration`);
  return {
    ...(requestTimeout === undefined ? {} : { requestTimeout }),
    ...(backendTimeout === undefined ? {} : { backendTimeout }),
    ...(streamIdleTimeout === undefined ? {} : { streamIdleTimeout }),
    ...(maxDuration === undefined ? {} : { maxDuration }),
  };
}

function toClusterTimeouts(spec: BackendTrafficPolicyTimeout, path: string, read: ValueReader): ClusterTraffic {
  const connectTimeout = read.span(spec.connect, `${path}.connect`);
  const idle = read.milliseconds(spec.connectionIdle, `${path}.connectionIdle`);
  const maxLifetime = read.milliseconds(spec.maxConnectionDuration, `${path}.maxConnectionDuration`);
  const pool = {
    ...(idle === undefined ? {} : { idleTimeout: idle === 0 ? NEVER : idle }),
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
  };
  return {
    ...(connectTimeout === undefined ? {} : { connectTimeout }),
    ...(Object.keys(pool).length === 0 ? {} : { pool }),
  };
}

/** Translates `spec.connection`. */
export function translateConnection(
  { tcpKeepAlive: text }: BackendTrafficPolicyConnection,
  path: string,
  read: ValueReader,
): FieldSettings {
  const tcpKeepAlive = read.span(text, `${path}.tcpKeepAlive`);
  return tcpKeepAlive === undefined ? {} : { cluster: { pool: { tcpKeepAlive } } };
}

/** Translates `spec.http2`; what it does not name is as in other clusters. */
export function translateHttp2(spec: BackendTrafficPolicyHTTP2, path: string, read: ValueReader): FieldSettings {
  const initial = DEFAULT_HTTP2_CLIENT_OPTIONS;
  return {
    cluster: {
      http2: {
        maxConcurrentStreams: spec.maxConcurrentStreams ?? initial.maxConcurrentStreams,
        streamWindow: read.window(spec.streamWindow, `${path}.streamWindow`) ?? initial.streamWindow,
        connectionWindow: read.window(spec.connectionWindow, `${path}.connectionWindow`) ?? initial.connectionWindow,
        pingInterval: read.milliseconds(spec.pingInterval, `${path}.pingInterval`) ?? initial.pingInterval,
        pingTimeout: read.span(spec.pingTimeout, `${path}.pingTimeout`) ?? initial.pingTimeout,
      },
    },
  };
}

/** IPv4 before IPv6 is what names are resolved by where nothing is said. */
const FAMILIES = {
  IPv4Preferred: {},
  IPv4: { family: "ipv4" },
  IPv6: { family: "ipv6" },
  IPv4AndIPv6: { family: "both" },
} as const;

/** Translates `spec.dns`. */
export function translateDns(
  { lookupFamily, refreshInterval }: BackendTrafficPolicyDNS,
  path: string,
  read: ValueReader,
): FieldSettings {
  const refresh = read.span(refreshInterval, `${path}.refreshInterval`);
  return { cluster: { dns: { ...FAMILIES[lookupFamily], ...(refresh === undefined ? {} : { refresh }) } } };
}

/** Translates `spec.proxyProtocol`. */
export function translateProxyProtocol({ version }: BackendTrafficPolicyProxyProtocol): FieldSettings {
  return { cluster: { proxyProtocol: version === "V1" ? "v1" : "v2" } };
}
