/** What goes wrong with requests to the API server, as sentences that tell an operator what to do. */
import type { IncomingHttpHeaders } from "node:http";
import { isRecord } from "../kube/field-path.ts";
import { ApiFailure } from "./contract.ts";
import type { ApiRequest } from "./contract.ts";

/** An answer that is no success. */
export interface FailedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The failure that an answer tells. */
export function toAnswerFailure(server: URL, request: ApiRequest, answer: FailedAnswer): ApiFailure {
  const { message, reason, causes, retryAfterSeconds } = readStatus(answer.body);
  const audit = answer.headers["audit-id"];
  const what = `${request.method} ${request.path}: ${answer.status}`;
  const said = message === "" ? "" : ` ${shorten(message)}`;
  const text = `the API server at ${server.origin} refused ${what}${said}${toAdvice(answer.status)}${toAudit(audit)}`;
  const retryAfter = toMillis(answer.headers["retry-after"], retryAfterSeconds);
  return new ApiFailure(text, {
    status: answer.status,
    reason,
    causes,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** The failure of a request without an answer that can be used. */
export function toConnectionFailure(server: URL, request: ApiRequest, cause: unknown): ApiFailure {
  if (cause instanceof ApiFailure) return cause;
  const reason = cause instanceof Error ? describe(cause) : String(cause);
  const text = `the API server at ${server.origin} did not answer ${request.method} ${request.path}: ${reason}`;
  return new ApiFailure(text, { status: 0, cause });
}

/** The failure that an ERROR event of a watch tells. */
export function toEventFailure(path: string, object: Readonly<Record<string, unknown>>): ApiFailure {
  const status = typeof object["code"] === "number" ? object["code"] : 0;
  const message = typeof object["message"] === "string" ? object["message"] : "without a reason";
  const text = `the API server ended the watch of ${path}: ${shorten(message)}`;
  return new ApiFailure(text, { status, reason: typeof object["reason"] === "string" ? object["reason"] : "" });
}

/** Errors of a connection that never was: what was to be sent has not been. */
const unsentCodes: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Whether a request without an answer surely did not reach the server. */
export function isUnsent(failure: ApiFailure): boolean {
  const { cause } = failure;
  return failure.status === 0 && isRecord(cause) && unsentCodes.has(cause["code"]);
}

function describe(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  if (code.startsWith("ERR_TLS") || /CERT|SELF_SIGNED|UNABLE_TO/.test(code))
    return `its certificate is not accepted (${error.message}); check the certificate authority we were given`;
  return error.message === "" ? code : error.message;
}

interface StatusFacts {
  readonly message: string;
  readonly reason: string;
  readonly causes: readonly string[];
  readonly retryAfterSeconds: unknown;
}

/** Reads a Status object; anything else is shown as it came. */
function readStatus(body: string): StatusFacts {
  const value = parse(body);
  if (!isRecord(value)) return { message: body.trim(), reason: "", causes: [], retryAfterSeconds: undefined };
  const details = isRecord(value["details"]) ? value["details"] : {};
  return {
    message: typeof value["message"] === "string" ? value["message"] : "",
    reason: typeof value["reason"] === "string" ? value["reason"] : "",
    causes: readCauses(details["causes"]),
    retryAfterSeconds: details["retryAfterSeconds"],
  };
}

function readCauses(causes: unknown): readonly string[] {
  if (!Array.isArray(causes)) return [];
  return causes.flatMap((cause: unknown) =>
    isRecord(cause) && typeof cause["reason"] === "string" ? [cause["reason"]] : [],
  );
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `Retry-After` (RFC 9110 section 10.2.3) in seconds or as a date, else what the Status says. */
function toMillis(header: string | undefined, seconds: unknown): number | undefined {
  if (header !== undefined && /^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = header === undefined ? Number.NaN : Date.parse(header);
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now());
  return typeof seconds === "number" && seconds > 0 ? seconds * 1000 : undefined;
}

function toAdvice(status: number): string {
  if (status === 401) return "; our credentials are not accepted: check the service account or the kubeconfig";
  return status === 403 ? "; check the RBAC of our service account" : "";
}

function toAudit(id: string | string[] | undefined): string {
  return id === undefined ? "" : ` (audit id ${String(id)})`;
}

const longestShown = 500;

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= longestShown ? line : `${line.slice(0, longestShown)}...`;
}
