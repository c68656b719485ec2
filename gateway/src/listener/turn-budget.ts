/**
 * Does a few of many things in each turn of the event loop. A TLS handshake holds the loop up for 0.3 to 1 ms: done as they
 * come, a flood of them would hold up every established connection for as many milliseconds as there are handshakes.
 */
import { setImmediate } from "node:timers";

/** Work that may wait. */
export interface Waiting {
  /** Nobody wants it any more: it is passed over, and costs nothing. */
  readonly abandoned: boolean;
  run(): void;
}

/** Runs at most so many things a turn, in order. */
export class TurnBudget {
  readonly #limit: number;
  #used = 0;
  #scheduled = false;
  #waiting: Waiting[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Runs it now where this turn has room and nobody waits, else in a later turn. */
  run(work: Waiting): void {
    if (this.#used < this.#limit && this.waiting === 0) this.#spend(work);
    else this.#waiting.push(work);
    this.#schedule();
  }

  #spend(work: Waiting): void {
    this.#used++;
    work.run();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // after the loop has looked at every socket once
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#used = 0;
    while (this.#used < this.#limit) {
      const work = this.#take();
      if (work === undefined) break;
      if (!work.abandoned) this.#spend(work);
    }
    // what ran just now belongs to the coming turn: its share is used up
    if (this.#used > 0) this.#schedule();
  }

  #take(): Waiting | undefined {
    const work = this.#waiting[this.#next];
    if (work === undefined) {
      this.#waiting = [];
      this.#next = 0;
      return undefined;
    }
    this.#next++;
    // the front of a long queue is given back now and then
    if (this.#next >= 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return work;
  }
}
