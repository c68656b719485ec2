/** What a route rule asks of a request. All conditions of one match must hold; matches of a rule are alternatives. */
import { Type, type Static } from "typebox";

/** How the path (without query, after normalisation) must look. Prefixes match whole path elements: `/a` is not `/ab`. */
export const PathMatch = Type.Union([
  Type.Object({ kind: Type.Literal("exact"), value: Type.String() }),
  Type.Object({ kind: Type.Literal("prefix"), value: Type.String() }),
  /** RE2 syntax, anchored at both ends. */
  Type.Object({ kind: Type.Literal("regex"), value: Type.String() }),
]);
/** How the path must look. */
export type PathMatch = Static<typeof PathMatch>;

/** A condition on the value of a header or query parameter. Header names are lower case. */
export const ValueMatch = Type.Object({
  name: Type.String(),
  kind: Type.Union([Type.Literal("exact"), Type.Literal("regex")]),
  value: Type.String(),
});
/** A condition on the value of a header or query parameter. */
export type ValueMatch = Static<typeof ValueMatch>;

/** One alternative of a rule. */
export const HttpMatch = Type.Object({
  path: PathMatch,
  method: Type.Optional(Type.String()),
  headers: Type.Array(ValueMatch),
  query: Type.Array(ValueMatch),
});
/** One alternative of a rule. */
export type HttpMatch = Static<typeof HttpMatch>;
