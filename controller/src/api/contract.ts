/** How the controller speaks with the API server: what watchers, writers of statuses and provisioning stand on. */

/** One request. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/apis/GROUP/VERSION/...`, names already escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Absent: `application/json`. For PATCH: merge patch, or apply (`application/apply-patch+yaml`, whose YAML may be JSON). */
  readonly contentType?: "application/json" | "application/merge-patch+json" | "application/apply-patch+yaml";
  /** `metadata`: of objects only that is wanted (PartialObjectMetadata); of some kinds it is a hundredth of them. */
  readonly part?: "metadata";
  readonly signal?: AbortSignal;
  /** Sent at once, and counted against nobody: for the rare request that must not wait for many others, as a lease's. */
  readonly urgent?: boolean;
}

/** One event of a watch. */
export interface ApiEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  /** The object; of BOOKMARK only its resourceVersion counts, of ERROR it is a Status. */
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * One API server. Credentials are read anew as they change on disk. Too many requests (429) and a server that is starting (503) are
 * waited for as it asks, so often as is sensible; everything else is for the caller to judge.
 */
export interface KubeApi {
  /** The answer's object. Rejects with an ApiFailure, also where there is no answer. */
  send(request: ApiRequest): Promise<Readonly<Record<string, unknown>>>;
  /** Events of a watch as they come, until the server or `signal` ends it (then it resolves) or it fails (ApiFailure). */
  watch(request: ApiRequest, onEvent: (event: ApiEvent) => void): Promise<void>;
}

/** A request that did not succeed. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Of the Status object: `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, `Forbidden`...; "" where it had none. */
  readonly reason: string;
  /** Reasons of the causes in its details, such as `NamespaceTerminating` of what is Forbidden. */
  readonly causes: readonly string[];
  /** What the server asks to wait, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    facts: {
      readonly status: number;
      readonly reason?: string;
      readonly causes?: readonly string[];
      readonly retryAfter?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.reason = facts.reason ?? "";
    this.causes = facts.causes ?? [];
    this.retryAfter = facts.retryAfter;
  }
}
