/** How long to wait between attempts at something that fails. Without clock and chance of its own, so that tests decide on both. */

/** Bounds of a back-off, in milliseconds. */
export interface BackOffLimits {
  /** Of the first wait. */
  readonly first: number;
  /** No wait is longer, whatever the number of failures. */
  readonly longest: number;
}

/** Exponential waits with jitter: failure n waits between half of `first * 2^n` and all of it. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: () => number;
  #failures = 0;

  /** `random` yields numbers from 0 up to 1. */
  constructor(limits: BackOffLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  /** How often it failed since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes a failure; the wait before the next attempt. The server's own wish counts where it is longer. */
  fail(wished = 0): number {
    const { first, longest } = this.#limits;
    const bound = Math.min(longest, first * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    const wait = bound / 2 + (this.#random() * bound) / 2;
    // A wish is followed up to a point: a server may be wrong, and an operator would wait for nothing. Jitter spreads what
    // a server told many clients alike.
    return Math.round(Math.max(wait, Math.min(wished, longestWish) + this.#random() * Math.min(wished, first)));
  }

  /** Notes a success. */
  reset(): void {
    this.#failures = 0;
  }
}

/** Longest wait that a server may wish for, in milliseconds. */
const longestWish = 60_000;
