/** The policies of a route rule or of one of its backends, as configuration. policies/ compiles each kind to a filter. */
import { Type, type Static } from "typebox";
import { Count, Port } from "./number.ts";

/** A header to set or add; names are kept as written, compared without case. */
export const HeaderValue = Type.Object({ name: Type.String(), value: Type.String() });
/** A header to set or add. */
export type HeaderValue = Static<typeof HeaderValue>;

const HeaderEdits = {
  set: Type.Array(HeaderValue),
  add: Type.Array(HeaderValue),
  remove: Type.Array(Type.String()),
};

/** Edits the request head before it goes upstream (Gateway API RequestHeaderModifier). */
export const RequestHeadersPolicy = Type.Object({ kind: Type.Literal("request-headers"), ...HeaderEdits });
/** Edits the request head. */
export type RequestHeadersPolicy = Static<typeof RequestHeadersPolicy>;

/** Edits the response head before it goes downstream (Gateway API ResponseHeaderModifier). */
export const ResponseHeadersPolicy = Type.Object({ kind: Type.Literal("response-headers"), ...HeaderEdits });
/** Edits the response head. */
export type ResponseHeadersPolicy = Static<typeof ResponseHeadersPolicy>;

/** Cross-origin resource sharing (Fetch standard; Gateway API HTTPCORSFilter). Entries may be `*`; origins may hold one wildcard label prefix. */
export const CorsPolicy = Type.Object({
  kind: Type.Literal("cors"),
  allowOrigins: Type.Array(Type.String()),
  allowMethods: Type.Array(Type.String()),
  allowHeaders: Type.Array(Type.String()),
  exposeHeaders: Type.Array(Type.String()),
  allowCredentials: Type.Boolean(),
  maxAgeSeconds: Count,
});
/** Cross-origin resource sharing. */
export type CorsPolicy = Static<typeof CorsPolicy>;

/** New path of a redirect or rewrite. `prefix` replaces the part the rule's prefix match covered. */
export const PathEdit = Type.Union([
  Type.Object({ kind: Type.Literal("full"), value: Type.String() }),
  Type.Object({ kind: Type.Literal("prefix"), value: Type.String() }),
]);
/** New path of a redirect or rewrite. */
export type PathEdit = Static<typeof PathEdit>;

/** Answers with a redirect (Gateway API HTTPRequestRedirectFilter). */
export const RedirectPolicy = Type.Object({
  kind: Type.Literal("redirect"),
  scheme: Type.Optional(Type.Union([Type.Literal("http"), Type.Literal("https")])),
  hostname: Type.Optional(Type.String()),
  port: Type.Optional(Port),
  path: Type.Optional(PathEdit),
  status: Type.Union([Type.Literal(301), Type.Literal(302), Type.Literal(303), Type.Literal(307), Type.Literal(308)]),
});
/** Answers with a redirect. */
export type RedirectPolicy = Static<typeof RedirectPolicy>;

/** Rewrites authority and path (Gateway API HTTPURLRewriteFilter). */
export const RewritePolicy = Type.Object({
  kind: Type.Literal("rewrite"),
  hostname: Type.Optional(Type.String()),
  path: Type.Optional(PathEdit),
});
/** Rewrites authority and path. */
export type RewritePolicy = Static<typeof RewritePolicy>;

/** A share of requests: `numerator` of every `denominator`. */
export const Fraction = Type.Object({ numerator: Count, denominator: Type.Integer({ minimum: 1 }) });
/** A share of requests. */
export type Fraction = Static<typeof Fraction>;

/** Sends a copy of the request elsewhere and drops the answer (Gateway API HTTPRequestMirrorFilter). */
export const MirrorPolicy = Type.Object({ kind: Type.Literal("mirror"), cluster: Type.String(), share: Fraction });
/** Sends a copy of the request elsewhere. */
export type MirrorPolicy = Static<typeof MirrorPolicy>;

/** Delays or aborts a share of requests on purpose (Istio HTTPFaultInjection). */
export const FaultPolicy = Type.Object({
  kind: Type.Literal("fault"),
  delay: Type.Optional(Type.Object({ share: Fraction, milliseconds: Count })),
  abort: Type.Optional(Type.Object({ share: Fraction, status: Type.Integer({ minimum: 200, maximum: 599 }) })),
});
/** Delays or aborts a share of requests. */
export type FaultPolicy = Static<typeof FaultPolicy>;

/** Any policy of a rule, in the order in which it runs. */
export const Policy = Type.Union([
  RequestHeadersPolicy,
  ResponseHeadersPolicy,
  CorsPolicy,
  RedirectPolicy,
  RewritePolicy,
  MirrorPolicy,
  FaultPolicy,
]);
/** Any policy of a rule. */
export type Policy = Static<typeof Policy>;

/** The discriminant of Policy. */
export type PolicyKind = Policy["kind"];
