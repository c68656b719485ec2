/** The fields `retry` and `sessionPersistence` of policies and routes, and `retryConstraint` of XBackendTrafficPolicies. */
import { DEFAULT_BACKOFF, type RetryBudget, type RetryPolicy } from "@sallyport/model/retry";
import { parseRetryOn, type RetryOn } from "@sallyport/model/retry-words";
import type {
  BackendTrafficPolicyRetry,
  BackendTrafficPolicySessionPersistence,
} from "../../kube/generated/types/backend-traffic-policy.ts";
import type { XBackendTrafficPolicyRetryConstraint } from "../../kube/generated/types/x-backend-traffic-policy.ts";
import type { FieldSettings, SessionSettings } from "./settings.ts";
import type { ValueReader } from "./values.ts";

/** What is tried again where nobody says, as for HTTPRoutes: failures without an answer. */
const FAILURES: RetryPolicy["on"] = ["connect-failure", "refused-stream", "reset", "timeout"];

/** How much longer than the first the longest wait is, as in Envoy's default. */
const LONGEST = 10;

/** Translates `spec.retry`. */
export function translateRetryField(spec: BackendTrafficPolicyRetry, path: string, read: ValueReader): FieldSettings {
  const { attempts, nonIdempotent, samePlace, budget } = spec;
  const tryTimeout = read.milliseconds(spec.perTryTimeout, `${path}.perTryTimeout`);
  const causes = toRetryOn(spec, path, read);
  const retry: RetryPolicy = {
    attempts: causes === undefined ? 0 : attempts,
    ...(causes ?? { on: [], statuses: [] }),
    backoff: toBackoff(spec, path, read),
    ...(nonIdempotent ? { nonIdempotent } : {}),
    ...(samePlace ? { samePlace } : {}),
  };
  const retryBudget: RetryBudget | undefined = budget && {
    kind: "concurrent",
    percent: budget.percent,
    minimum: budget.minConcurrent,
  };
  return {
    rule: { retry, ...(tryTimeout === undefined ? {} : { tryTimeout }) },
    ...(retryBudget === undefined ? {} : { cluster: { retryBudget } }),
  };
}

/** Undefined where nobody can tell what is meant: nothing is sent twice by guess. */
function toRetryOn(
  { retryOn, statuses = [] }: BackendTrafficPolicyRetry,
  path: string,
  read: ValueReader,
): RetryOn | undefined {
  if (retryOn === undefined && statuses.length === 0) return { on: [...FAILURES], statuses: [] };
  const parsed = parseRetryOn((retryOn ?? []).join(","));
  if (!parsed.ok) {
    read.refuse(`${path}.retryOn`, parsed.error);
    return undefined;
  }
  return { on: parsed.value.on, statuses: [...new Set([...parsed.value.statuses, ...statuses])] };
}

function toBackoff({ backoff }: BackendTrafficPolicyRetry, path: string, read: ValueReader): RetryPolicy["backoff"] {
  const base = read.span(backoff?.base, `${path}.backoff.base`) ?? DEFAULT_BACKOFF.base;
  const max = read.span(backoff?.max, `${path}.backoff.max`) ?? base * LONGEST;
  const retryAfter = read.span(backoff?.retryAfter?.max, `${path}.backoff.retryAfter.max`);
  return { least: 0, base, max, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** Where the interval of the least rate is not given. */
const SECOND = 1000;

/** Translates `spec.retryConstraint`: a budget of the Service. */
export function translateRetryConstraint(
  { budget, minRetryRate: { count = 0, interval: minimumInterval } }: XBackendTrafficPolicyRetryConstraint,
  path: string,
  read: ValueReader,
): FieldSettings {
  const interval = read.span(budget.interval, `${path}.budget.interval`);
  const least = read.span(minimumInterval, `${path}.minRetryRate.interval`) ?? SECOND;
  if (interval === undefined) return {};
  return {
    cluster: {
      retryBudget: { kind: "rate", percent: budget.percent, interval, minimum: count, minimumInterval: least },
    },
  };
}

/** Fields that frame a message or belong to its connection, and those that many write: no session can be kept there. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "cookie",
  "host",
  "keep-alive",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Translates `sessionPersistence` of a policy or of a rule of a route (GEP-1619). */
export function translateSession(
  spec: BackendTrafficPolicySessionPersistence,
  path: string,
  read: ValueReader,
): FieldSettings {
  const { type, cookieConfig } = spec;
  const absoluteTimeout = read.span(spec.absoluteTimeout, `${path}.absoluteTimeout`);
  const idleTimeout = read.span(spec.idleTimeout, `${path}.idleTimeout`);
  const isPermanent = type === "Cookie" && cookieConfig?.lifetimeType === "Permanent";
  if (isPermanent && absoluteTimeout === undefined)
    read.refuse(`${path}.absoluteTimeout`, "a permanent cookie needs an absoluteTimeout");
  const lifetime = isPermanent && absoluteTimeout !== undefined ? "permanent" : "session";
  const name = readName(spec, path, read);
  const carrier: SessionSettings["carrier"] =
    type === "Header" ? { kind: "header", name } : { kind: "cookie", name, lifetime };
  const session: SessionSettings = {
    carrier,
    ...(absoluteTimeout === undefined ? {} : { absoluteTimeout }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  };
  return { rule: { session } };
}

/** The name of the session; undefined where there is none that can be used. */
function readName(
  { type, sessionName: name }: BackendTrafficPolicySessionPersistence,
  path: string,
  read: ValueReader,
): string | undefined {
  if (name === undefined) return undefined;
  const isReserved = type === "Header" && RESERVED.has(name.toLowerCase());
  if (TOKEN.test(name) && !isReserved) return name;
  const message = isReserved
    ? `no session can be kept in the header ${name}`
    : `${JSON.stringify(name)} cannot be the name of a ${type.toLowerCase()}`;
  read.refuse(`${path}.sessionName`, message);
  return undefined;
}

/** RFC 9110 section 5.6.2; RFC 6265 section 4.1.1 has names of cookies the same. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
