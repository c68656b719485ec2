/** An HTTP route: where requests of some hosts go, at the cardinality of the user's object (one HTTPRoute, one resource). */
import { Type, type Static } from "typebox";
import { HttpMatch } from "./match.ts";
import { Count } from "./number.ts";
import { Policy } from "./policy.ts";

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

/** One rule: alternatives of matches, policies in order, weighted backends. Timeouts in milliseconds; absent is none. */
export const HttpRule = Type.Object({
  name: Type.Optional(Type.String()),
  matches: Type.Array(HttpMatch),
  policies: Type.Array(Policy),
  backends: Type.Array(WeightedBackend),
  requestTimeout: Type.Optional(Count),
  backendTimeout: Type.Optional(Count),
});
/** One rule. */
export type HttpRule = Static<typeof HttpRule>;

/** A listener the route hangs on, and the hostnames it serves there (route hostnames cut by the listener's); `*` is any. */
export const RouteAttachment = Type.Object({ listener: Type.String(), hostnames: Type.Array(Type.String()) });
/** A listener the route hangs on. */
export type RouteAttachment = Static<typeof RouteAttachment>;

/** One HTTP route. */
export const HttpRoute = Type.Object({
  kind: Type.Literal("http-route"),
  /** `namespace/name`. */
  key: Type.String(),
  /** Sorts older before newer as text: an ISO timestamp, or in file mode `~` with file and document number. */
  age: Type.String(),
  attachments: Type.Array(RouteAttachment),
  rules: Type.Array(HttpRule),
});
/** One HTTP route. */
export type HttpRoute = Static<typeof HttpRoute>;
