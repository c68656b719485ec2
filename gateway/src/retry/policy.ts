/**
 * What a rule's retry policy says of one failed try, compiled to look-ups. The words are Envoy's
 * (config.route.v3.RetryPolicy, x-envoy-retry-on).
 *
 * | word | statuses | faults |
 * |---|---|---|
 * | connect-failure | | no connection came up |
 * | refused-stream | | the endpoint says that it did nothing |
 * | reset | | every fault of a try |
 * | reset-before-request | | every fault of a try of which nothing was sent |
 * | timeout | | the try took too long |
 * | 5xx, gateway-error | 500-599; 502-504 | as reset |
 * | retriable-4xx | 409 | |
 * | envoy-ratelimited | any with `x-envoy-ratelimited`, which else is final | |
 * | cancelled ... unavailable | grpc-status | |
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { RetryCause, RetryPolicy } from "@sallyport/model/retry";
import { parseRetryAfter } from "./retry-after.ts";

/** How a try failed without an answer. */
export interface FailedTry {
  readonly reason: FaultReason;
  /** No endpoint can have acted on the request: it never left, or the endpoint says that it did nothing with it. */
  readonly unseen: boolean;
  /** Doing it twice is as good as once (RFC 9110 section 9.2.2). */
  readonly idempotent: boolean;
}

/** A head that is asked for fields. */
interface Fields {
  /** Names are lower case. */
  received(name: string): string | undefined;
}

/** A policy, ready to be asked. */
export interface CompiledRetry {
  /** How many tries may follow the first. */
  readonly attempts: number;
  readonly backoff: RetryPolicy["backoff"];
  /** Endpoints that were tried are as good as others. */
  readonly samePlace: boolean;
  /** Whether an answer with this status is none; its fields are asked for only where they decide. */
  coversAnswer(status: number, fields: Fields): boolean;
  /** Whether a try that failed so is to be followed by another one. */
  coversFault(failed: FailedTry): boolean;
}

const UNCONNECTED: readonly FaultReason[] = ["connect-failure", "connect-timeout", "upstream-tls-failure"];
const FAILED: readonly FaultReason[] = [
  ...UNCONNECTED,
  "upstream-refused",
  "upstream-reset",
  "upstream-closed",
  "upstream-protocol-error",
  "upstream-timeout",
];

interface Covered {
  readonly faults: readonly FaultReason[];
  readonly statuses: readonly number[];
  /** As grpc-status has it. */
  readonly grpc: readonly string[];
}

const NOTHING: Covered = { faults: [], statuses: [], grpc: [] };
const COVERED: Readonly<Record<RetryCause, Covered>> = {
  "connect-failure": { ...NOTHING, faults: UNCONNECTED },
  "refused-stream": { ...NOTHING, faults: ["upstream-refused"] },
  reset: { ...NOTHING, faults: FAILED },
  "reset-before-request": NOTHING,
  timeout: { ...NOTHING, faults: ["upstream-timeout"] },
  "5xx": { ...NOTHING, faults: FAILED, statuses: Array.from({ length: 100 }, (_, index) => 500 + index) },
  "gateway-error": { ...NOTHING, faults: FAILED, statuses: [502, 503, 504] },
  "retriable-4xx": { ...NOTHING, statuses: [409] },
  "envoy-ratelimited": NOTHING,
  cancelled: { ...NOTHING, grpc: ["1"] },
  "deadline-exceeded": { ...NOTHING, grpc: ["4"] },
  "resource-exhausted": { ...NOTHING, grpc: ["8"] },
  internal: { ...NOTHING, grpc: ["13"] },
  unavailable: { ...NOTHING, grpc: ["14"] },
};

/** Compiles a policy; undefined where it never tries again. */
export function compileRetry(policy: RetryPolicy | undefined): CompiledRetry | undefined {
  if (policy === undefined || policy.attempts === 0) return undefined;
  const covered = policy.on.map((cause) => COVERED[cause]);
  const statuses = new Set([...policy.statuses, ...covered.flatMap((one) => one.statuses)]);
  const grpc = new Set(covered.flatMap((one) => one.grpc));
  const faults = new Set(covered.flatMap((one) => one.faults));
  const unsent = new Set(policy.on.includes("reset-before-request") ? FAILED : []);
  const limited = policy.on.includes("envoy-ratelimited");
  const repeats = policy.nonIdempotent === true;
  return {
    attempts: policy.attempts,
    backoff: policy.backoff,
    samePlace: policy.samePlace === true,
    coversAnswer: (status, fields) => {
      const isCovered = statuses.has(status) || (grpc.size > 0 && grpc.has(fields.received("grpc-status") ?? ""));
      if (isCovered === limited) return isCovered;
      return (fields.received("x-envoy-ratelimited") !== undefined) === limited;
    },
    coversFault: ({ reason, unseen, idempotent }) =>
      unseen ? faults.has(reason) || unsent.has(reason) : (idempotent || repeats) && faults.has(reason),
  };
}

/** Milliseconds before the n-th retry (from 1): exponential with full jitter above `least`. `drawn` is uniform in [0, 1). */
export function toBackoff({ least, base, max }: RetryPolicy["backoff"], retry: number, drawn: number): number {
  const most = Math.max(least, Math.min(max, base * 2 ** (retry - 1)));
  return least + drawn * (most - least);
}

/** What a wait goes by. */
export interface WaitTerms {
  /** Which retry it is before, from 1. */
  readonly retry: number;
  /** Uniform in [0, 1). */
  readonly drawn: number;
  /** Milliseconds that are left for the request. */
  readonly left: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Milliseconds before a retry: those that the answer asks for where that counts, and the back-off behind them, lest all who were
 * told the same come at once. Undefined where it asks for more than the policy or the time of the request allows.
 */
export function toWait(
  backoff: RetryPolicy["backoff"],
  answer: Fields | undefined,
  { retry, drawn, left, now }: WaitTerms,
): number | undefined {
  const milliseconds = toBackoff(backoff, retry, drawn);
  const longest = backoff.retryAfter;
  if (longest === undefined) return milliseconds;
  const asked = parseRetryAfter(answer?.received("retry-after") ?? "", now);
  if (asked === undefined) return milliseconds;
  if (asked > longest || asked >= left) return undefined;
  const spread = Math.min(asked + milliseconds, longest);
  return spread < left ? spread : asked;
}
