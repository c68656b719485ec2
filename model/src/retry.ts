/** When a request that failed upstream is sent once more, and how much of that a cluster bears. The words are Envoy's. */
import { Type, type Static } from "typebox";
import { Count } from "./number.ts";

/**
 * What is tried again. A status (`5xx`, `gateway-error`, `retriable-4xx`, or a code in `statuses`) is what the upstream answered;
 * the others are tries without an answer, of which those that an endpoint may have acted on are repeated only for idempotent methods.
 */
export const RetryCause = Type.Union([
  /** No connection came up: refused, too slow, or TLS failed. */
  Type.Literal("connect-failure"),
  /** The endpoint says that it did nothing with the request (REFUSED_STREAM, GOAWAY). */
  Type.Literal("refused-stream"),
  /** The connection or the stream ended before an answer, the answer was not one, or the try took too long. */
  Type.Literal("reset"),
  /** As `reset`, where nothing of the request was sent. */
  Type.Literal("reset-before-request"),
  /** The try took longer than the rule's backendTimeout. */
  Type.Literal("timeout"),
  /** A status of 500 to 599, and everything of `reset`. */
  Type.Literal("5xx"),
  /** 502, 503 and 504, and everything of `reset`. */
  Type.Literal("gateway-error"),
  /** 409. */
  Type.Literal("retriable-4xx"),
  /** An answer with a field `x-envoy-ratelimited`. Without this word such an answer is never tried again, whatever its status. */
  Type.Literal("envoy-ratelimited"),
  /** Statuses of gRPC, where they come in the head of the answer (trailers-only). */
  Type.Literal("cancelled"),
  Type.Literal("deadline-exceeded"),
  Type.Literal("internal"),
  Type.Literal("resource-exhausted"),
  Type.Literal("unavailable"),
]);
/** What is tried again. */
export type RetryCause = Static<typeof RetryCause>;

/** Retries of a rule's requests. Each try may take the rule's `backendTimeout`; all together its `requestTimeout`. */
export const RetryPolicy = Type.Object({
  /** How many tries may follow the first. */
  attempts: Count,
  on: Type.Array(RetryCause),
  /** Further statuses of answers (Envoy: retriable-status-codes). */
  statuses: Type.Array(Count),
  /**
   * Milliseconds before the n-th retry: drawn evenly between `least` and the smaller of `base` * 2^(n-1) and `max` (never less than
   * `least`). Full jitter where `least` is 0.
   */
  backoff: Type.Object({
    least: Count,
    base: Count,
    max: Count,
    /**
     * The longest wait, in milliseconds, that an answer may ask for (Retry-After); who asks for a longer one is not tried again. Absent:
     * what answers ask for does not count.
     */
    retryAfter: Type.Optional(Count),
  }),
  /** Also what an endpoint may have acted on is tried again, whatever its method; absent: only where doing it twice is as good as once. */
  nonIdempotent: Type.Optional(Type.Boolean()),
  /** Endpoints that were tried may be tried again before all others were; absent: no. */
  samePlace: Type.Optional(Type.Boolean()),
});
/** Retries of a rule's requests. */
export type RetryPolicy = Static<typeof RetryPolicy>;

/** Envoy's backoff: 25 ms, then twice as much, up to ten times as much. */
export const DEFAULT_BACKOFF: RetryPolicy["backoff"] = { least: 0, base: 25, max: 250 };

/**
 * How many retries a cluster bears, per worker; those beyond it are not made. `concurrent`: at once, the larger of `minimum` and
 * `percent` of its requests (Envoy's retry_budget, Istio's retryBudget). `rate`: within `interval` milliseconds `percent` of its requests in that
 * time, and besides `minimum` each `minimumInterval` milliseconds (Gateway API's XBackendTrafficPolicy, Linkerd).
 */
export const RetryBudget = Type.Union([
  Type.Object({ kind: Type.Literal("concurrent"), percent: Count, minimum: Count }),
  Type.Object({
    kind: Type.Literal("rate"),
    percent: Count,
    interval: Count,
    minimum: Count,
    minimumInterval: Count,
  }),
]);
/** How many retries a cluster bears. */
export type RetryBudget = Static<typeof RetryBudget>;

/** What clusters have unless their owner says otherwise. */
export const DEFAULT_RETRY_BUDGET: RetryBudget = { kind: "concurrent", percent: 20, minimum: 20 };
