/** `retry`: when a request that failed is sent once more. */
import { duration, flag, integer, list, percent, section, word } from "./field.ts";
import type { Field } from "./field.ts";

const CAUSES = [
  "connect-failure",
  "refused-stream",
  "reset",
  "reset-before-request",
  "timeout",
  "5xx",
  "gateway-error",
  "retriable-4xx",
  "envoy-ratelimited",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];

/** When a request that failed is sent once more. */
export function retry(): Field {
  return section("When a request that failed is sent once more. The retry of an HTTPRoute's rule goes before this.", {
    attempts: integer("How many tries may follow the first. 0: none.", { minimum: 0, maximum: 100, default: 2 }),
    retryOn: list(
      "What is tried again, in Envoy's words. Default, where statuses are not given either: connect-failure, refused-stream, reset and timeout.",
      word(
        "connect-failure: no connection came up. refused-stream: the endpoint says that it did nothing. reset: the connection ended before an answer. reset-before-request: the same, before anything was sent. timeout: the try took longer than it may. 5xx: a status of 500 to 599, and reset. gateway-error: 502, 503 and 504, and reset. retriable-4xx: 409. envoy-ratelimited: an answer with the field x-envoy-ratelimited, else not tried again. cancelled, deadline-exceeded, internal, resource-exhausted, unavailable: statuses of gRPC.",
        CAUSES,
      ),
      { maxItems: 16 },
    ),
    statuses: list(
      "Further statuses of answers that are tried again.",
      integer("A status.", { minimum: 400, maximum: 599 }),
      { maxItems: 64 },
    ),
    perTryTimeout: duration(
      "How long one try may take; 0s: as long as the request. Goes before timeout.backendRequest.",
    ),
    backoff: backoff(),
    nonIdempotent: flag(
      "Whether requests that may do something twice (POST, PATCH) are tried again although an endpoint may have acted on them.",
      false,
    ),
    samePlace: flag("Whether endpoints that were tried may be tried again before all others were.", false),
    budget: section("How many retries the backend bears; those beyond are not made.", {
      percent: percent("Retries at once, in percent of the requests at once.", 20),
      minConcurrent: integer("So many retries at once are always allowed.", {
        minimum: 0,
        maximum: 1_000_000,
        default: 20,
      }),
    }),
  });
}

function backoff(): Field {
  return section(
    "How long to wait before a retry: drawn between nothing and base times 2^(retry-1).",
    {
      base: duration("What the first wait is drawn from.", { minimum: "1ms", maximum: "1m", default: "25ms" }),
      max: duration("The longest wait. Default: ten times base.", { minimum: "1ms", maximum: "10m" }),
      retryAfter: section(
        "Waits as long as the answer asks for by its field Retry-After, and what is drawn besides. Default: what answers ask for does not count.",
        {
          max: duration(
            "The longest wait that an answer may ask for. One that asks for more than this, or more than is left of the time of the request, goes to the client.",
            { minimum: "1s", maximum: "10m" },
          ),
        },
        { required: ["max"] },
      ),
    },
    {
      rules: [
        {
          rule: "!has(self.max) || duration(self.base) <= duration(self.max)",
          message: "base must not be longer than max",
        },
      ],
    },
  );
}
