/** Whether a request that failed is sent again, and when. Sans-IO. */
import { BackOff } from "@sallyport/model/back-off";
import type { ApiFailure, ApiRequest } from "./contract.ts";
import { isUnsent } from "./failure.ts";

/** Attempts of one request; with the waits between them this is about half a minute. */
const mostAttempts = 8;

/** Waits between attempts, in milliseconds. */
const waits = { first: 250, longest: 8000 };

/** The attempts of one request. */
export class RetryPlan {
  readonly #method: ApiRequest["method"];
  readonly #backOff: BackOff;
  #refusals = 0;

  /** `random` yields numbers from 0 up to 1. */
  constructor(method: ApiRequest["method"], random: () => number) {
    this.#method = method;
    this.#backOff = new BackOff(waits, random);
  }

  /** Milliseconds to wait before the next attempt; undefined if the failure is for the caller. */
  next(failure: ApiFailure): number | undefined {
    if (failure.status === 401) return this.#refusals++ === 0 ? 0 : undefined;
    if (!this.#isPassing(failure) || this.#backOff.failures + 1 >= mostAttempts) return undefined;
    return this.#backOff.fail(failure.retryAfter);
  }

  /** What passes: the server is busy or starts, or no answer came and asking again changes nothing. */
  #isPassing(failure: ApiFailure): boolean {
    if (failure.status === 429 || failure.status === 503) return true;
    return failure.status === 0 && (this.#method === "GET" || isUnsent(failure));
  }
}
