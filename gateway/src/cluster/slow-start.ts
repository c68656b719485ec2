/** Slow start: how much of its weight an endpoint has that is new, or fit again (Envoy: slow_start_config). */
import type { Balancer, SlowStart } from "@sallyport/model/traffic";

/** Who becomes warm. */
export interface Warming {
  readonly configuredWeight: number;
  /** What balancers are told. */
  weight: number;
  /** Since when it is there, and since when it is fit; milliseconds. -Infinity: since ever. */
  readonly newSince: number;
  readonly fitSince: number;
}

/** Steps in which a window passes: a step is then less than 1 % of the weight, if it is linear. */
const STEPS = 128;
/** Milliseconds between two steps at least. */
const LEAST_STEP = 10;
/** What has no weight at all is never given the request that would show that it is fit. */
const LEAST_FACTOR = 0.001;

/** What a balancer's slow start is; undefined where it has none. */
export function slowStartOf(balancer: Balancer): SlowStart | undefined {
  return "slowStart" in balancer ? balancer.slowStart : undefined;
}

/** How much of its weight an endpoint has after so many milliseconds, in (0, 1]. */
export function toWarmth(elapsed: number, { window, aggression, minimumPercent }: SlowStart): number {
  if (elapsed >= window) return 1;
  const grown = (Math.max(0, elapsed) / window) ** (1 / aggression);
  return Math.min(1, Math.max(minimumPercent / 100, grown, LEAST_FACTOR));
}

/** Brings weights up to date. Returns when to do so again; undefined: all are warm. */
export function warmUp(
  endpoints: Iterable<Warming>,
  slowStart: SlowStart | undefined,
  now: number,
): number | undefined {
  let isWarming = false;
  for (const endpoint of endpoints) {
    const since = Math.max(endpoint.newSince, endpoint.fitSince);
    const warmth = slowStart === undefined ? 1 : toWarmth(now - since, slowStart);
    if (warmth < 1) isWarming = true;
    endpoint.weight = endpoint.configuredWeight * warmth;
  }
  return isWarming && slowStart !== undefined ? now + Math.max(LEAST_STEP, slowStart.window / STEPS) : undefined;
}
