// A state that tests wait on: whoever changes it says so, whoever waits re-checks a condition; nobody sleeps.

/** A machine that does other things takes so many times as long until something is in vain. */
const BUSY = 5;

/** Wakes waiters on each change; a wait ends when its condition holds or its time is over. */
export class Signal {
  readonly #waiters = new Set<() => void>();

  /** Says that the observed state changed. */
  changed(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** True as soon as `condition` holds, false when it did not hold within `milliseconds`. */
  until(condition: () => boolean, milliseconds: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (held: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve(held);
      };
      const check = (): void => {
        if (condition()) settle(true);
      };
      const timer = setTimeout(() => settle(condition()), milliseconds);
      this.#waiters.add(check);
    });
  }

  /** As `until`, on a machine as busy as may be; a condition that did not come is an Error that names `what`. */
  async require(condition: () => boolean, milliseconds: number, what: string): Promise<void> {
    if (!(await this.until(condition, milliseconds * BUSY)))
      throw new Error(`waited ${milliseconds * BUSY} ms in vain for ${what}`);
  }
}
