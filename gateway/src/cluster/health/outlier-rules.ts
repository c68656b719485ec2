/** What counts against an endpoint, compiled: outlier detection as Envoy does it, by failures in a row. */
import type { FaultReason } from "@sallyport/model/fault";
import type { OutlierDetection } from "@sallyport/model/traffic";
import { TOTAL, WORD } from "../../observe/health-words.ts";

/** Why an endpoint is ejected. */
export type EjectionCause = "consecutive-5xx" | "consecutive-gateway-errors" | "consecutive-local-origin";

/** Where a cause is counted: in a row, and over the life of the process. */
export const CAUSES = {
  "consecutive-5xx": { word: WORD.serverErrors, total: TOTAL.ejectedForServerErrors },
  "consecutive-gateway-errors": { word: WORD.gatewayErrors, total: TOTAL.ejectedForGatewayErrors },
  "consecutive-local-origin": { word: WORD.localErrors, total: TOTAL.ejectedForLocalErrors },
} as const satisfies Record<EjectionCause, { readonly word: number; readonly total: number }>;

/** One cause that is looked for: so many in a row. */
export interface OutlierRule {
  readonly cause: EjectionCause;
  readonly word: number;
  readonly threshold: number;
}

/** Which causes an outcome counts for, and which rows it ends. */
export interface Outcome {
  readonly counts: readonly OutlierRule[];
  readonly ends: readonly number[];
}

/** Outlier detection of a cluster, ready to be asked. */
export interface OutlierRules extends Pick<
  OutlierDetection,
  "interval" | "baseEjectionTime" | "maxEjectionTime" | "maxEjectionPercent"
> {
  /** By status; undefined: the answer is as it should be, and ends all rows. */
  readonly answers: readonly (Outcome | undefined)[];
  /** No answer came, by the doing of the endpoint. */
  readonly failure: Outcome;
}

/** Statuses end here. */
const STATUSES = 600;
const GATEWAY_ERRORS: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Which faults are the doing of an endpoint, or of the way to it. Limits and an empty cluster are ours to keep, what a client did is
 * nobody's fault but its own; and a server that refuses another protocol has answered.
 */
const BLAMED = {
  "connect-failure": true,
  "connect-timeout": true,
  "upstream-tls-failure": true,
  "upstream-reset": true,
  "upstream-closed": true,
  "upstream-refused": true,
  "upstream-protocol-error": true,
  "upstream-timeout": true,
  "upgrade-refused": false,
  "no-endpoints": false,
  "connection-overflow": false,
  "request-overflow": false,
  "dns-failure": false,
  "stream-idle-timeout": false,
  "lifetime-exceeded": false,
  "not-http": false,
  "bad-request": false,
  "unsupported-version": false,
  "unsupported-method": false,
  "unsupported-coding": false,
  "expectation-failed": false,
  "head-too-large": false,
  "uri-too-long": false,
  "body-too-large": false,
  "head-timeout": false,
  "body-timeout": false,
  "downstream-closed": false,
  misdirected: false,
  "no-route": false,
  "invalid-backend": false,
  overloaded: false,
  draining: false,
  "internal-error": false,
} as const satisfies Record<FaultReason, boolean>;

/** Whether this fault counts against the endpoint. */
export function isBlamed(reason: FaultReason): boolean {
  return BLAMED[reason];
}

/** Compiles what is configured. */
export function compileOutlierRules(config: OutlierDetection): OutlierRules {
  const { interval, baseEjectionTime, maxEjectionTime, maxEjectionPercent, splitLocalOrigin } = config;
  const server = toRules("consecutive-5xx", config.consecutive5xx);
  const gateway = toRules("consecutive-gateway-errors", config.consecutiveGatewayErrors);
  const local = splitLocalOrigin ? toRules("consecutive-local-origin", config.consecutiveLocalOrigin) : [];
  const statuses = config.statuses === undefined ? undefined : new Set(config.statuses);
  const answers = Array.from({ length: STATUSES }, (_, status): Outcome | undefined => {
    const isServer = statuses === undefined ? status >= 500 : statuses.has(status);
    const isGateway = GATEWAY_ERRORS.has(status);
    if (!isServer && !isGateway) return undefined;
    // whoever answers can be reached
    const ends: number[] = [WORD.localErrors];
    if (!isServer) ends.push(WORD.serverErrors);
    if (!isGateway) ends.push(WORD.gatewayErrors);
    return { counts: [...(isGateway ? gateway : []), ...(isServer ? server : [])], ends };
  });
  const failure = { counts: splitLocalOrigin ? local : [...gateway, ...server], ends: [] };
  return { interval, baseEjectionTime, maxEjectionTime, maxEjectionPercent, answers, failure };
}

function toRules(cause: EjectionCause, threshold: number): readonly OutlierRule[] {
  return threshold === 0 ? [] : [{ cause, word: CAUSES[cause].word, threshold }];
}
