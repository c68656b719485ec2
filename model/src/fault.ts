/**
 * A Fault is why an exchange failed: who caused it, what happened, and whether another try is safe. One exhaustive table
 * maps the reason to the status sent downstream and to the response flag operators know from Envoy's access logs.
 */

/** Whose doing a fault is. */
export type FaultSource = "downstream" | "upstream" | "internal";

/** Every way an exchange can fail. */
export type FaultReason =
  | "not-http"
  | "bad-request"
  | "unsupported-version"
  | "unsupported-method"
  | "unsupported-coding"
  | "expectation-failed"
  | "head-too-large"
  | "uri-too-long"
  | "body-too-large"
  | "head-timeout"
  | "body-timeout"
  | "downstream-closed"
  | "misdirected"
  | "no-route"
  | "invalid-backend"
  | "no-endpoints"
  | "connection-overflow"
  | "request-overflow"
  | "dns-failure"
  | "connect-failure"
  | "connect-timeout"
  | "upstream-tls-failure"
  | "upstream-reset"
  | "upstream-closed"
  | "upstream-refused"
  | "upgrade-refused"
  | "upstream-protocol-error"
  | "upstream-timeout"
  | "stream-idle-timeout"
  | "lifetime-exceeded"
  | "overloaded"
  | "draining"
  | "internal-error";

/** What the rest of the system needs to know of a fault reason. */
export interface FaultFacts {
  readonly source: FaultSource;
  /** Status of the local reply; 0 where nobody is left to answer. */
  readonly status: number;
  /** Envoy's response flag (config/observability/access_log/usage, %RESPONSE_FLAGS%); "-" where Envoy has none. */
  readonly flag: ResponseFlag;
  /** Whether another try on another connection can help and cannot repeat a side effect. */
  readonly retryable: boolean;
}

/** Response flags in use; the names are Envoy's. */
export type ResponseFlag =
  | "-"
  | "DC"
  | "DPE"
  | "NR"
  | "NC"
  | "UH"
  | "UO"
  | "UF"
  | "URX"
  | "UC"
  | "UR"
  | "UPE"
  | "UT"
  | "SI"
  | "DI"
  | "FI"
  | "OM"
  | "DF"
  | "LR"
  | "DT";

/** Status, flag and blame of every fault. */
export const FAULTS: Readonly<Record<FaultReason, FaultFacts>> = {
  // who does not speak HTTP cannot read an answer either
  "not-http": { source: "downstream", status: 0, flag: "DPE", retryable: false },
  "bad-request": { source: "downstream", status: 400, flag: "DPE", retryable: false },
  "unsupported-version": { source: "downstream", status: 505, flag: "DPE", retryable: false },
  "unsupported-method": { source: "downstream", status: 501, flag: "DPE", retryable: false },
  "unsupported-coding": { source: "downstream", status: 501, flag: "DPE", retryable: false },
  "expectation-failed": { source: "downstream", status: 417, flag: "DPE", retryable: false },
  "head-too-large": { source: "downstream", status: 431, flag: "DPE", retryable: false },
  "uri-too-long": { source: "downstream", status: 414, flag: "DPE", retryable: false },
  "body-too-large": { source: "downstream", status: 413, flag: "DPE", retryable: false },
  "head-timeout": { source: "downstream", status: 408, flag: "DT", retryable: false },
  "body-timeout": { source: "downstream", status: 408, flag: "DT", retryable: false },
  "downstream-closed": { source: "downstream", status: 0, flag: "DC", retryable: false },
  misdirected: { source: "downstream", status: 421, flag: "NR", retryable: false },
  "no-route": { source: "internal", status: 404, flag: "NR", retryable: false },
  "invalid-backend": { source: "internal", status: 500, flag: "NC", retryable: false },
  "no-endpoints": { source: "upstream", status: 503, flag: "UH", retryable: false },
  "connection-overflow": { source: "upstream", status: 503, flag: "UO", retryable: false },
  "request-overflow": { source: "upstream", status: 503, flag: "UO", retryable: false },
  "dns-failure": { source: "upstream", status: 503, flag: "DF", retryable: false },
  "connect-failure": { source: "upstream", status: 503, flag: "UF", retryable: true },
  "connect-timeout": { source: "upstream", status: 503, flag: "UF", retryable: true },
  "upstream-tls-failure": { source: "upstream", status: 503, flag: "UF", retryable: false },
  "upstream-reset": { source: "upstream", status: 503, flag: "UR", retryable: false },
  "upstream-closed": { source: "upstream", status: 503, flag: "UC", retryable: false },
  "upstream-refused": { source: "upstream", status: 503, flag: "UR", retryable: true },
  "upgrade-refused": { source: "upstream", status: 502, flag: "UPE", retryable: false },
  "upstream-protocol-error": { source: "upstream", status: 502, flag: "UPE", retryable: false },
  "upstream-timeout": { source: "upstream", status: 504, flag: "UT", retryable: false },
  "stream-idle-timeout": { source: "internal", status: 504, flag: "SI", retryable: false },
  "lifetime-exceeded": { source: "internal", status: 504, flag: "DT", retryable: false },
  overloaded: { source: "internal", status: 503, flag: "OM", retryable: false },
  draining: { source: "internal", status: 503, flag: "LR", retryable: false },
  "internal-error": { source: "internal", status: 500, flag: "-", retryable: false },
};
