/** A cluster: one upstream service port, how to find its endpoints and how to talk to them. */
import { Type, type Static } from "typebox";
import { Count, Port } from "./number.ts";

/** Where endpoints come from: an endpoint set of the same key, or names resolved by DNS. */
export const Discovery = Type.Union([
  Type.Object({ kind: Type.Literal("endpoints") }),
  Type.Object({
    kind: Type.Literal("dns"),
    names: Type.Array(Type.Object({ hostname: Type.String(), port: Port })),
  }),
]);
/** Where endpoints come from. */
export type Discovery = Static<typeof Discovery>;

/** One cluster. Times in milliseconds. */
export const Cluster = Type.Object({
  kind: Type.Literal("cluster"),
  /** `namespace/service:port`. */
  key: Type.String(),
  discovery: Discovery,
  protocol: Type.Union([Type.Literal("http1"), Type.Literal("h2c")]),
  balancer: Type.Union([Type.Literal("least-request"), Type.Literal("round-robin"), Type.Literal("random")]),
  connectTimeout: Count,
  /** Per worker. Requests beyond `connections` wait; beyond `pending` waiting ones they are refused (UO). */
  limits: Type.Object({ connections: Count, pending: Count }),
  pool: Type.Object({
    /** An idle connection older than this is closed; keep it below the backend's own keep-alive time. */
    idleTimeout: Count,
    /** A connection is not reused after this age; 0: no limit. */
    maxLifetime: Count,
  }),
});
/** One cluster. */
export type Cluster = Static<typeof Cluster>;

/** What a cluster has unless its owner says otherwise. */
export const DEFAULT_CLUSTER = {
  balancer: "least-request",
  connectTimeout: 10_000,
  limits: { connections: 4096, pending: 4096 },
  pool: { idleTimeout: 60_000, maxLifetime: 0 },
} as const satisfies Omit<Cluster, "kind" | "key" | "discovery" | "protocol">;
