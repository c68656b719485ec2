/**
 * What a peer makes us do without asking for anything (CVE-2023-44487, CVE-2025-8671, CVE-2019-9512 to 9518): every such event costs, every
 * completed exchange pays back.
 */

/** Prices. */
export const Price = {
  /** A reset of the peer's, or one it provoked: a request was begun for nothing. */
  reset: 4,
  /** A stream over the limit. */
  refused: 4,
  settings: 2,
  /** PING, PRIORITY, a small WINDOW_UPDATE, DATA or HEADERS without content. */
  frame: 1,
} as const;

/** WINDOW_UPDATE frames of less than this are small. */
export const SMALL_UPDATE = 1024;

/** What a completed exchange pays back: as much as its client may have spent on it in PINGs and small updates. */
const EARNED = 4;
/** Milliseconds that pay for one frame: who lives long may ask now and then whether we do. */
const PACE = 100;

/** Small updates that may be late. */
const MOST_CONFIRMABLE = 1000;

/** Counts for one connection. */
export class AbuseBudget {
  readonly #limit: number;
  readonly #now: () => number;
  #spent = 0;
  #confirmable = 0;
  #at = 0;

  /** `now`: milliseconds, monotonic. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Spends. False: it is used up, the connection must end. */
  spend(price: number): boolean {
    const now = this.#now();
    const paid = Math.floor((now - this.#at) / PACE);
    if (paid > 0) {
      this.#spent = Math.max(0, this.#spent - paid);
      this.#at = now;
    }
    this.#spent += price;
    return this.#spent <= this.#limit;
  }

  /** A piece of a body was sent whole: the peer may confirm it, small as it is, for its stream and for the connection. */
  sentPiece(): void {
    this.#confirmable = Math.min(MOST_CONFIRMABLE, this.#confirmable + 2);
  }

  /** A small WINDOW_UPDATE came. Whether it is owed to what we sent, and costs nothing. */
  confirm(): boolean {
    return this.#confirmable > 0 && this.#confirmable-- > 0;
  }

  /** An exchange is complete. */
  earn(): void {
    this.#spent = Math.max(0, this.#spent - EARNED);
  }
}
