/** Timeouts of a rule: durations (GEP-2257) to milliseconds. */
import type { HTTPRouteTimeouts } from "../../kube/generated/types/http-route.ts";
import { parseDuration } from "../duration.ts";
import type { Flaw } from "../flaw.ts";

/** Timeouts as a rule resource has them; what is absent is no timeout. */
export interface RuleTimeouts {
  readonly requestTimeout?: number;
  readonly backendTimeout?: number;
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
