/** How a cluster's requests are spread over its endpoints, and which endpoints are fit to have any. Times in milliseconds. */
import { Type, type Static } from "typebox";
import { Count, Port } from "./number.ts";

/**
 * What of a request decides which endpoint a consistent-hash balancer sends it to. Keys are looked at in order; the first that the
 * request has counts. A request that has none of them goes anywhere.
 */
export const HashKey = Type.Union([
  /** All values of a field, in the order in which they came. */
  Type.Object({ kind: Type.Literal("header"), name: Type.String() }),
  /** With `lifetime` (milliseconds; 0: until the browser ends) a client without the cookie is given one. */
  Type.Object({
    kind: Type.Literal("cookie"),
    name: Type.String(),
    lifetime: Type.Optional(Count),
    path: Type.Optional(Type.String()),
    attributes: Type.Optional(Type.Array(Type.Object({ name: Type.String(), value: Type.Optional(Type.String()) }))),
  }),
  /** The trusted address of the client, without its port. */
  Type.Object({ kind: Type.Literal("source-address") }),
  /** The first value of a parameter of the query. */
  Type.Object({ kind: Type.Literal("query"), name: Type.String() }),
]);
/** What of a request decides which endpoint it goes to. */
export type HashKey = Static<typeof HashKey>;

/** An endpoint that is new, or well again, is given its share little by little (Envoy: slow_start_config; Istio: warmup). */
export const SlowStart = Type.Object({
  /** How long it takes to the whole share. */
  window: Count,
  /** Share over time is time^(1 / aggression); 1 is linear, more gives more earlier. */
  aggression: Type.Number({ exclusiveMinimum: 0 }),
  /** Of the whole share, at the beginning. */
  minimumPercent: Count,
});
/** An endpoint is given its share little by little. */
export type SlowStart = Static<typeof SlowStart>;

/** How an endpoint is chosen among those that are fit. */
export const Balancer = Type.Union([
  /** The less busy, for its weight, of `choices` drawn ones; counted over all workers. Absent: 2. */
  Type.Object({
    kind: Type.Literal("least-request"),
    choices: Type.Optional(Type.Integer({ minimum: 2, maximum: 100 })),
    slowStart: Type.Optional(SlowStart),
  }),
  Type.Object({ kind: Type.Literal("round-robin"), slowStart: Type.Optional(SlowStart) }),
  Type.Object({ kind: Type.Literal("random") }),
  /** Consistent hashing on a ring of points (ketama); sizes are in points. */
  Type.Object({
    kind: Type.Literal("ring-hash"),
    keys: Type.Array(HashKey),
    minimumSize: Type.Integer({ minimum: 1, maximum: 8_388_608 }),
    maximumSize: Type.Integer({ minimum: 1, maximum: 8_388_608 }),
  }),
  /** Maglev (Eisenbud et al., NSDI 2016, section 3.4): a table of fixed size, a prime. */
  Type.Object({
    kind: Type.Literal("maglev"),
    keys: Type.Array(HashKey),
    tableSize: Type.Integer({ minimum: 2, maximum: 5_000_011 }),
  }),
]);
/** How an endpoint is chosen among those that are fit. */
export type Balancer = Static<typeof Balancer>;

/** Where an endpoint or a proxy is; "" where nobody said. */
export const Locality = Type.Object({ region: Type.String(), zone: Type.String(), subzone: Type.String() });
/** Where an endpoint or a proxy is. */
export type Locality = Static<typeof Locality>;

/**
 * How a proxy's own place counts (Istio: localityLbSetting, zoneAwareLbSetting). At most one of `distribute`, `failover` and
 * `priorities` says something; with none of them endpoints are ranked by how much of region, zone and subzone they share with the
 * proxy. Ranks are used in order: a lower one is given what the better ones are too ill for (`overprovisioning`).
 */
export const LocalityBalancing = Type.Object({
  /** Shares by weight: `from` and `to` are `region/zone/subzone`, where `*` stands for the rest (`eu-west/*`). The first that fits counts. */
  distribute: Type.Array(
    Type.Object({
      from: Type.String(),
      to: Type.Array(Type.Object({ locality: Type.String(), weight: Count })),
    }),
  ),
  /** Where a region that is ill is helped out by, before others. */
  failover: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
  /** Labels (`key`, or `key=value`): endpoints rank by how many of them, from the first on, they share with the proxy. */
  priorities: Type.Array(Type.String()),
  /**
   * Endpoints of the proxy's zone are preferred as far as its share of capacity goes; others get the rest, so that no zone is overloaded
   * (Envoy: zone_aware_lb_config). Absent: nothing leaves the best rank while it is well.
   */
  zoneAware: Type.Optional(Type.Object({ minimumEndpoints: Count })),
  /** Percent: a rank is enough while well endpoints times this are all of it (Envoy: 140). */
  overprovisioning: Count,
});
/** How a proxy's own place counts. */
export type LocalityBalancing = Static<typeof LocalityBalancing>;

/**
 * Endpoints are left out for a while after failures of real requests (Envoy: outlier_detection). A count of 0 switches its cause off.
 * Counts are those of all workers. What was ejected once is ejected longer the next time: `baseEjectionTime` times how often, up to
 * `maxEjectionTime`; each `interval` without an ejection takes one off.
 */
export const OutlierDetection = Type.Object({
  /** Answers of 500 to 599 in a row; failures without an answer count as well, unless they are split off. */
  consecutive5xx: Count,
  /** Of 502, 503 and 504; and failures without an answer, as above. */
  consecutiveGatewayErrors: Count,
  /** Failures without an answer (no connection, timeout, reset) count on their own. */
  splitLocalOrigin: Type.Boolean(),
  consecutiveLocalOrigin: Count,
  /** Statuses that count as 5xx; absent: 500 to 599. */
  statuses: Type.Optional(Type.Array(Count)),
  interval: Count,
  baseEjectionTime: Count,
  maxEjectionTime: Count,
  /** Of the cluster's endpoints; one may always be ejected where there is another. */
  maxEjectionPercent: Count,
});
/** Endpoints are left out for a while after failures of real requests. */
export type OutlierDetection = Static<typeof OutlierDetection>;

/** A range of statuses, both ends included. */
export const StatusRange = Type.Object({ from: Count, to: Count });
/** A range of statuses, both ends included. */
export type StatusRange = Static<typeof StatusRange>;

/** What a health check asks. It uses the cluster's TLS. */
export const HealthProbe = Type.Union([
  Type.Object({
    kind: Type.Literal("http"),
    method: Type.Union([Type.Literal("GET"), Type.Literal("HEAD"), Type.Literal("OPTIONS")]),
    path: Type.String(),
    /** Absent: the address of the endpoint. */
    host: Type.Optional(Type.String()),
    statuses: Type.Array(StatusRange),
  }),
  /** grpc.health.v1.Health/Check; "" is the server as a whole. */
  Type.Object({ kind: Type.Literal("grpc"), service: Type.String(), host: Type.Optional(Type.String()) }),
  /** A connection comes up (with the cluster's TLS, if it has). */
  Type.Object({ kind: Type.Literal("tcp") }),
]);
/** What a health check asks. */
export type HealthProbe = Static<typeof HealthProbe>;

/** Endpoints are asked whether they are well: each once per process, however many workers and routes use it. */
export const HealthCheck = Type.Object({
  probe: HealthProbe,
  /** Absent: that of the endpoint. */
  port: Type.Optional(Port),
  /** Between the end of one check and the next, for an endpoint that is well, and for one that is not. A tenth is jitter. */
  interval: Count,
  unhealthyInterval: Count,
  timeout: Count,
  /** How many checks in a row change what it is taken for; the first check of all decides by itself. */
  unhealthyThreshold: Type.Integer({ minimum: 1 }),
  healthyThreshold: Type.Integer({ minimum: 1 }),
});
/** Endpoints are asked whether they are well. */
export type HealthCheck = Static<typeof HealthCheck>;

/** Most of everything at once, over all workers of a process (Envoy: circuit_breakers). Absent: no limit. */
export const Limits = Type.Object({
  /** Each worker may have one, whatever the others have. Requests beyond it wait. */
  connections: Count,
  /** Waiting requests; those beyond it are refused (UO). */
  pending: Count,
  /** Requests on connections; those beyond it are refused (UO). */
  requests: Type.Optional(Count),
  /** Retries; those beyond it are not made. Besides the retry budget. */
  retries: Type.Optional(Count),
  /** Connections to one endpoint. */
  connectionsPerEndpoint: Type.Optional(Count),
});
/** Most of everything at once. */
export type Limits = Static<typeof Limits>;

/** Below so many percent of fit endpoints all of a rank are used as if they were fit (Envoy: healthy_panic_threshold). */
export const DEFAULT_PANIC_THRESHOLD = 50;
