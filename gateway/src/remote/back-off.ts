/** How long to wait between attempts: doubled each time up to a limit, and spread at random so that proxies do not come all at once. */

const FIRST = 250;
const LONGEST = 15_000;

/** Counts attempts that failed in a row. */
export class BackOff {
  readonly #random: () => number;
  #next = FIRST;

  /** `random` yields numbers from 0 up to 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt: from half of what is due to all of it. */
  take(): number {
    const due = this.#next;
    this.#next = Math.min(LONGEST, due * 2);
    return due / 2 + (due / 2) * this.#random();
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#next = FIRST;
  }
}
