/** Retries of a rule (GEP-1731): what HTTPRoutes say, as a policy of the data plane. */
import { DEFAULT_BACKOFF, type RetryPolicy } from "@sallyport/model/retry";
import type { HTTPRouteRetry } from "../../kube/generated/types/http-route.ts";
import { parseDuration } from "../duration.ts";
import type { Flaw } from "../flaw.ts";

/** Where a route does not say. */
const DEFAULT_ATTEMPTS = 2;
/** How much longer than the first the longest wait is, as in Envoy's default. */
const LONGEST = 10;
/** Connection errors are retried wherever there is a `retry`: disconnect, reset, timeout, TCP failure. */
const ON: RetryPolicy["on"] = ["connect-failure", "refused-stream", "reset", "timeout"];

/** The retry policy of a rule, and why it cannot be had. `path` is that of `retry`. */
export function translateRetry(
  retry: HTTPRouteRetry | undefined,
  path: string,
): { readonly retry?: RetryPolicy; readonly flaws: readonly Flaw[] } {
  if (retry === undefined) return { flaws: [] };
  const { attempts = DEFAULT_ATTEMPTS, codes = [] } = retry;
  const backoff = retry.backoff === undefined ? DEFAULT_BACKOFF : toBackoff(retry.backoff);
  if (backoff === undefined) {
    const message = `${retry.backoff ?? ""} is no duration`;
    const hint = "write durations as 1h30m, 10s or 500ms";
    return {
      flaws: [{ reason: "UnsupportedValue", code: "unsupported-value", path: `${path}.backoff`, message, hint }],
    };
  }
  return { retry: { attempts, on: [...ON], statuses: [...codes], backoff }, flaws: [] };
}

/** What the route gives is the least; it grows and is jittered above that. */
function toBackoff(text: string): RetryPolicy["backoff"] | undefined {
  const least = parseDuration(text);
  return least === undefined ? undefined : { least, base: least * 2, max: least * LONGEST };
}
