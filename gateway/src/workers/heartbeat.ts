/**
 * Tells living workers from hung ones, and how long to wait before one that keeps dying is started again. No I/O: the
 * supervisor's timer feeds it, so a supervisor that was itself stopped (a suspended machine, a starved CPU) does not take
 * its own absence for the silence of others.
 */

/** Counts looks without a beat. */
export class Heartbeat {
  readonly #misses: number;
  #last: number | undefined;
  #silent = 0;

  /** `misses` looks in a row without a beat mean that the worker is hung. */
  constructor(misses: number) {
    this.#misses = misses;
  }

  /** One look; `beats` is the worker's counter. */
  look(beats: number): "alive" | "silent" {
    if (beats !== this.#last) {
      this.#last = beats;
      this.#silent = 0;
    } else {
      this.#silent++;
    }
    return this.#silent >= this.#misses ? "silent" : "alive";
  }
}

/** Milliseconds before the second restart in a row, and the most there is between two. */
const FIRST_DELAY = 500;
const LAST_DELAY = 30_000;
/** A worker that lived this long died for another reason than the one before. Milliseconds. */
const STABLE = 60_000;

/** Delays restarts of one worker: none at first, then doubling. */
export class RestartDelay {
  #failures = 0;

  /** How long to wait, for a worker that died after so many milliseconds. */
  next(lived: number): number {
    if (lived >= STABLE) this.#failures = 0;
    const delay = this.#failures === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (this.#failures - 1), LAST_DELAY);
    this.#failures++;
    return delay;
  }
}
