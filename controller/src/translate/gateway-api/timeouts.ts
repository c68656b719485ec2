/** Timeouts of a rule: durations (GEP-2257) to milliseconds. */
import type { HTTPRouteTimeouts } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";

/** Timeouts as a rule resource has them; what is absent is no timeout. */
export interface RuleTimeouts {
  readonly requestTimeout?: number;
  readonly backendTimeout?: number;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a Gateway API duration such as `1h30m` or `500ms`; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, digits, unit = ""] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    milliseconds += Number(digits) * (UNITS[unit] ?? 0);
  }
  return milliseconds;
}

/** The timeouts of a rule, and why they cannot be had. `path` is that of `timeouts`. Zero switches a timeout off. */
export function translateTimeouts(
  { request, backendRequest }: HTTPRouteTimeouts,
  path: string,
): { readonly timeouts: RuleTimeouts; readonly flaws: readonly Flaw[] } {
  const requestTimeout = request === undefined ? 0 : parseDuration(request);
  const backendTimeout = backendRequest === undefined ? 0 : parseDuration(backendRequest);
  if (requestTimeout === undefined) return refuse(`${path}.request`, `${request ?? ""} is no duration`);
  if (backendTimeout === undefined) return refuse(`${path}.backendRequest`, `${backendRequest ?? ""} is no duration`);
  if (requestTimeout > 0 && backendTimeout > requestTimeout) {
    return refuse(`${path}.backendRequest`, "backendRequest is part of request and cannot be longer");
  }
  return {
    timeouts: {
      ...(requestTimeout > 0 ? { requestTimeout } : {}),
      ...(backendTimeout > 0 ? { backendTimeout } : {}),
    },
    flaws: [],
  };
}

function refuse(path: string, message: string): ReturnType<typeof translateTimeouts> {
  const hint = "write durations as 1h30m, 10s or 500ms";
  return { timeouts: {}, flaws: [{ reason: "UnsupportedValue", code: "unsupported-value", path, message, hint }] };
}
