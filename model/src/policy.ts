/** The policies of a route rule or of one of its backends, as configuration. policies/ compiles each kind to a filter. */
import { Type, type Static } from "typebox";
import { Count, Port } from "./number.ts";
import { StatusRange } from "./traffic.ts";

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
  abort: Type.Optional(
    Type.Object({
      share: Fraction,
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      /** What calls of gRPC are answered instead. */
      grpcStatus: Type.Optional(Type.Integer({ minimum: 0, maximum: 16 })),
    }),
  ),
});
/** Delays or aborts a share of requests. */
export type FaultPolicy = Static<typeof FaultPolicy>;

/**
 * Answers are compressed where the client takes it (RFC 9110 section 12.5.3) and nobody has done so: of the codings it likes best the
 * first here. What says no-transform, has a strong validator that a range hangs on, or is short stays as it is.
 */
export const CompressionPolicy = Type.Object({
  kind: Type.Literal("compression"),
  codings: Type.Array(
    Type.Object({
      name: Type.Union([Type.Literal("gzip"), Type.Literal("br"), Type.Literal("zstd")]),
      /** As the coding has it; absent: one that is cheap enough to do for each request. */
      level: Type.Optional(Count),
    }),
  ),
  /** Bytes: shorter answers of known length stay as they are. */
  minimumLength: Count,
  /** Media types without parameters, lower case; `text/*` for all of one kind. */
  contentTypes: Type.Array(Type.String()),
});
/** Answers are compressed. */
export type CompressionPolicy = Static<typeof CompressionPolicy>;

/** Answers of certain statuses are replaced (custom error pages). The first override that fits counts. */
export const ResponseOverridePolicy = Type.Object({
  kind: Type.Literal("response-override"),
  overrides: Type.Array(
    Type.Object({
      statuses: Type.Array(StatusRange),
      /** Whose answers: those of endpoints, those made here, or both. */
      source: Type.Union([Type.Literal("upstream"), Type.Literal("local"), Type.Literal("any")]),
      /** Absent: the one that it had. */
      status: Type.Optional(Type.Integer({ minimum: 200, maximum: 599 })),
      headers: Type.Array(HeaderValue),
      /** Key of the page whose text is the body. Absent: the answer keeps its own. */
      page: Type.Optional(Type.String()),
    }),
  ),
});
/** Answers of certain statuses are replaced. */
export type ResponseOverridePolicy = Static<typeof ResponseOverridePolicy>;

/** Requests whose body is longer are answered 413; `whole`: nothing goes upstream before all of the body is here. */
export const RequestBodyPolicy = Type.Object({
  kind: Type.Literal("request-body"),
  maxBytes: Count,
  whole: Type.Boolean(),
});
/** Requests whose body is longer are answered 413. */
export type RequestBodyPolicy = Static<typeof RequestBodyPolicy>;

/** Any policy of a rule, in the order in which it runs. */
export const Policy = Type.Union([
  RequestHeadersPolicy,
  ResponseHeadersPolicy,
  CorsPolicy,
  RedirectPolicy,
  RewritePolicy,
  MirrorPolicy,
  FaultPolicy,
  CompressionPolicy,
  ResponseOverridePolicy,
  RequestBodyPolicy,
]);
/** Any policy of a rule. */
export type Policy = Static<typeof Policy>;

/** The discriminant of Policy. */
export type PolicyKind = Policy["kind"];
