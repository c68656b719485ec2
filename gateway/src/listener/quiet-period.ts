/** What may happen thousands of times a second is said once in a while. */

/** Milliseconds between two lines about the same. */
const QUIET = 10_000;

/** Says when it is time to say something again. */
export class QuietPeriod {
  readonly #now: () => number;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** It has happened once more: how often it has since it was said last, this time included; undefined where that is to be said later. */
  note(): number | undefined {
    const now = this.#now();
    this.#unsaid++;
    if (now - this.#saidAt < QUIET) return undefined;
    const times = this.#unsaid;
    this.#saidAt = now;
    this.#unsaid = 0;
    return times;
  }
}
