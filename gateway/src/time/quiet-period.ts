/** What may happen thousands of times a second is said once in a while. */

/** Milliseconds between two lines about the same. */
const QUIET = 10_000;

/** Says when it is time to say something again. */
export class QuietPeriod {
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** It has happened once more, at `now` (milliseconds): how often since it was said last, this time included; 0: that is to be said later. */
  note(now: number): number {
    this.#unsaid++;
    if (now - this.#saidAt < QUIET) return 0;
    const times = this.#unsaid;
    this.#saidAt = now;
    this.#unsaid = 0;
    return times;
  }
}
