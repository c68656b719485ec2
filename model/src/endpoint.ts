/** The addresses behind a cluster. A resource of its own, because endpoints change far more often than clusters. */
import { Type, type Static } from "typebox";
import { Count, Port } from "./number.ts";
import { Locality } from "./traffic.ts";

/** One address. `draining` ones (terminating but still serving) are used only when no `ready` one is left. */
export const Endpoint = Type.Object({
  /** An IP literal. */
  address: Type.String(),
  port: Port,
  weight: Count,
  state: Type.Union([Type.Literal("ready"), Type.Literal("draining")]),
  locality: Type.Optional(Locality),
  /** 0 comes first; others are used for what it is too ill for. Absent: 0. */
  priority: Type.Optional(Count),
  /** Those that the cluster's `locality.priorities` name. */
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** Whose requests it is meant for (`hints` of an EndpointSlice): zones, and nodes, of proxies. Absent: no hint of that kind. */
  forZones: Type.Optional(Type.Array(Type.String())),
  forNodes: Type.Optional(Type.Array(Type.String())),
});
/** One address. */
export type Endpoint = Static<typeof Endpoint>;

/** All endpoints of the cluster of the same key. */
export const EndpointSet = Type.Object({
  kind: Type.Literal("endpoints"),
  key: Type.String(),
  endpoints: Type.Array(Endpoint),
});
/** All endpoints of a cluster. */
export type EndpointSet = Static<typeof EndpointSet>;
