/** Shares of something by key, none of them above a limit. */

/** Counts by key; keys that hold nothing cost nothing. */
export class Quota {
  readonly #limit: number;
  readonly #taken = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes so much more for a key; false, and nothing is taken, where that would be above the limit. */
  take(key: string, count: number): boolean {
    const taken = (this.#taken.get(key) ?? 0) + count;
    if (taken > this.#limit) return false;
    if (taken > 0) this.#taken.set(key, taken);
    return true;
  }

  /** Gives back what was taken. */
  give(key: string, count: number): void {
    const left = (this.#taken.get(key) ?? 0) - count;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
