/** Waits for the end of a burst of events, but not for ever: changes of a cluster come in bursts. */

/** Milliseconds. */
export interface BurstLimits {
  /** Silence that ends a burst. */
  readonly quiet: number;
  /** Longest time from the first event of a burst until it counts. */
  readonly longest: number;
}

/** Calls `onEnd` once for each burst. */
export class BurstTimer {
  readonly #limits: BurstLimits;
  readonly #onEnd: () => void;
  #timer: NodeJS.Timeout | undefined;
  #first = 0;

  constructor(limits: BurstLimits, onEnd: () => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  /** An event happens. */
  touch(): void {
    const now = performance.now();
    if (this.#timer === undefined) this.#first = now;
    clearTimeout(this.#timer);
    const { quiet, longest } = this.#limits;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#onEnd();
      },
      Math.max(0, Math.min(quiet, this.#first + longest - now)),
    );
  }

  /** Forgets what happened. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
