/** Routes: where requests, connections and datagrams go, at the cardinality of the user's object (one HTTPRoute, one resource). */
import { Type, type Static } from "typebox";
import { HttpMatch } from "./match.ts";
import { Count } from "./number.ts";
import { Policy } from "./policy.ts";
import { RetryPolicy } from "./retry.ts";
import { SessionPersistence } from "./session.ts";

/** A weighted target. An `invalid` one answers 500 for its share (Gateway API: BackendNotFound, RefNotPermitted, InvalidKind). */
export const WeightedBackend = Type.Union([
  Type.Object({
    kind: Type.Literal("cluster"),
    cluster: Type.String(),
    weight: Count,
    policies: Type.Array(Policy),
  }),
  Type.Object({ kind: Type.Literal("invalid"), reason: Type.String(), weight: Count }),
]);
/** A weighted target. */
export type WeightedBackend = Static<typeof WeightedBackend>;

/**
 * One rule: alternatives of matches, policies in order, weighted backends. Timeouts in milliseconds; absent is none. With retries
 * backendTimeout is for each try and requestTimeout for all of them.
 */
export const HttpRule = Type.Object({
  name: Type.Optional(Type.String()),
  matches: Type.Array(HttpMatch),
  policies: Type.Array(Policy),
  backends: Type.Array(WeightedBackend),
  requestTimeout: Type.Optional(Count),
  backendTimeout: Type.Optional(Count),
  retry: Type.Optional(RetryPolicy),
  /** Longest silence inside an exchange or a tunnel, instead of the listener's; 0: no limit. */
  streamIdleTimeout: Type.Optional(Count),
  /** Longest life of an exchange or a tunnel. */
  maxDuration: Type.Optional(Count),
  session: Type.Optional(SessionPersistence),
});
/** One rule. */
export type HttpRule = Static<typeof HttpRule>;

/** A listener the route hangs on, and the hostnames it serves there (route hostnames cut by the listener's); `*` is any. */
export const RouteAttachment = Type.Object({
  listener: Type.String(),
  hostnames: Type.Array(Type.String()),
  /**
   * How much each hostname was cut: 0 where it is the route's own, else the more the wider that one is. Among HTTP routes of
   * one hostname those of the least cut come first, whatever their paths and age. Absent: all are the route's own.
   */
  cuts: Type.Optional(Type.Array(Count)),
});
/** A listener the route hangs on. */
export type RouteAttachment = Static<typeof RouteAttachment>;

/** One HTTP route. */
export const HttpRoute = Type.Object({
  kind: Type.Literal("http-route"),
  /** `namespace/name` of an HTTPRoute; of another kind with the kind in front (`GRPCRoute/namespace/name`, `Ingress/namespace/name`). */
  key: Type.String(),
  /** Sorts older before newer as text: an ISO timestamp, or in file mode `~` with file and document number. */
  age: Type.String(),
  attachments: Type.Array(RouteAttachment),
  rules: Type.Array(HttpRule),
});
/** One HTTP route. */
export type HttpRoute = Static<typeof HttpRoute>;

/** A weighted target of a connection or a session. An `invalid` one closes its share of connections and drops its share of datagrams. */
export const StreamBackend = Type.Union([
  Type.Object({ kind: Type.Literal("cluster"), cluster: Type.String(), weight: Count }),
  Type.Object({ kind: Type.Literal("invalid"), reason: Type.String(), weight: Count }),
]);
/** A weighted target of a connection or a session. */
export type StreamBackend = Static<typeof StreamBackend>;

/**
 * A TLSRoute, TCPRoute or UDPRoute. Hostnames of its attachments are server names for TLS listeners (`*` is any) and `*` for
 * others. Of several routes on one listener the oldest gets all traffic that it can take (for TLS: of that server name).
 */
export const StreamRoute = Type.Object({
  kind: Type.Literal("stream-route"),
  /** `kind/namespace/name`. */
  key: Type.String(),
  /** As in HttpRoute. */
  age: Type.String(),
  attachments: Type.Array(RouteAttachment),
  backends: Type.Array(StreamBackend),
});
/** A TLSRoute, TCPRoute or UDPRoute. */
export type StreamRoute = Static<typeof StreamRoute>;
