/** How many requests a client may send: a bucket that fills at a steady rate, as client-go has one. Sans-IO. */

/** A rate and how far it may be exceeded. */
export interface RateLimits {
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests at once after a time of silence. */
  readonly burst: number;
}

/** A bucket of tokens. Times are in milliseconds of any clock that does not go back. */
export class RateLimit {
  readonly #limits: RateLimits;
  #tokens: number;
  #at: number;

  constructor(limits: RateLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#at = now;
  }

  /** Takes a token, maybe one that is only to come: how long to wait before it may be used. */
  take(now: number): number {
    const { perSecond, burst } = this.#limits;
    const earned = (Math.max(0, now - this.#at) * perSecond) / 1000;
    this.#tokens = Math.min(burst, this.#tokens + earned) - 1;
    this.#at = Math.max(this.#at, now);
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / perSecond);
  }
}
