/** What a write that did not succeed means, and how an operator hears of it. */
import type { ApiFailure } from "../api/contract.ts";
import type { ControllerLog } from "../run/log.ts";

/**
 * `conflict`: the object has changed or is gone, and the next world says what to do. `version`: the server lacks this version of
 * the API. `trouble`: it may go by. `refused`: it will not go by itself.
 */
export type FailureMeaning = "conflict" | "version" | "trouble" | "refused";

/** The meaning of a failure. */
export function judgeFailure({ status, reason }: ApiFailure): FailureMeaning {
  if (status === 409) return "conflict";
  // Of an object that is gone the server says so; a path that it does not know has no reason.
  if (status === 404) return reason === "NotFound" ? "conflict" : "version";
  return status === 0 || status === 429 || status >= 500 ? "trouble" : "refused";
}

/** Tells of failures; of many of one sort less and less often. */
export class FailureLog {
  readonly #log: ControllerLog;
  readonly #counts = new Map<string, number>();

  constructor(log: ControllerLog) {
    this.#log = log;
  }

  /** A write of this kind failed. */
  note(kind: string, object: string, failure: ApiFailure): void {
    const { status, reason, message } = failure;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    // 1, 2, 4, 8...
    if ((count & (count - 1)) !== 0) return;
    const fields = { object, status, reason, error: message, failures: count };
    if (status === 403) this.#log.error(FORBIDDEN, fields);
    else if (judgeFailure(failure) === "refused")
      this.#log.error("status not written: the API server refuses it", fields);
    else this.#log.warn("status not written, trying again", fields);
  }

  /** A write of this kind succeeded. */
  forget(kind: string): void {
    this.#counts.delete(kind);
  }

  /** A write succeeded, and the server kept less than was written. */
  tellResidue(object: string, fields: readonly string[]): void {
    this.#log.warn("the API server does not keep all of a status: are its CRDs older than this controller?", {
      object,
      fields,
    });
  }
}

const FORBIDDEN = "status not written: the controller's role lacks `patch` on the status of this kind";
