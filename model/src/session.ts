/** Session persistence: the endpoint that answered a client's first request answers the others, too (GEP-1619). */
import { Type, type Static } from "typebox";
import { Count } from "./number.ts";

/** Where a client keeps its session. */
export const SessionPersistence = Type.Object({
  carrier: Type.Union([
    /** `lifetime` session: until the browser ends; permanent: for absoluteTimeout. */
    Type.Object({
      kind: Type.Literal("cookie"),
      name: Type.String(),
      lifetime: Type.Union([Type.Literal("session"), Type.Literal("permanent")]),
    }),
    Type.Object({ kind: Type.Literal("header"), name: Type.String() }),
  ]),
  /** Milliseconds after which a session ends: since it began, and since it was last used. Absent: none. */
  absoluteTimeout: Type.Optional(Count),
  idleTimeout: Type.Optional(Count),
});
/** Where a client keeps its session. */
export type SessionPersistence = Static<typeof SessionPersistence>;
