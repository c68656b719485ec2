/** Files that look as if they were still being written: when to look again, and when to believe them after all. */

/** Longest time, in milliseconds, that a file which keeps changing is waited for. */
const longestWaitMillis = 2000;

/** The unsure files of one watch. Times are milliseconds of one clock. */
export class UnsureFiles {
  readonly #quietMillis: number;
  /** When to look again. */
  readonly #due = new Map<string, number>();
  /** Since when there was always some unsure file. */
  #since: number | undefined;

  /** A file is believed once it stayed the same for `quietMillis`. */
  constructor(quietMillis: number) {
    this.#quietMillis = quietMillis;
  }

  /** How many files are waited for. */
  get size(): number {
    return this.#due.size;
  }

  /** Time until a file is due; undefined if none is waited for. */
  millisUntilDue(now: number): number | undefined {
    return this.#due.size === 0 ? undefined : Math.min(...this.#due.values()) - now;
  }

  /** Takes out the files that are to be read again now; those that changed meanwhile come back by `note`. */
  takeDue(now: number): string[] {
    const due = [...this.#due].filter(([, at]) => at <= now).map(([path]) => path);
    for (const path of due) this.#due.delete(path);
    return due;
  }

  /** Notes what reading found: changed files are unsure or, if not, believed. */
  note(changed: readonly string[], unsure: ReadonlySet<string>, now: number): void {
    this.#since ??= now;
    for (const path of changed) {
      if (unsure.has(path) && now - this.#since < longestWaitMillis) this.#due.set(path, now + this.#quietMillis);
      else this.#due.delete(path);
    }
    if (this.#due.size === 0) this.#since = undefined;
  }
}
