/**
 * What all workers of a process know of the health of endpoints: some words of shared memory for each slot of the table of active
 * counts. Unlike counts they are not striped: whoever finds something out writes it here, and bumps `changes` where it makes an endpoint
 * fitter or less fit, which is what the others look at. All words are read and written by Atomics; what takes several of them is done
 * under the lock of the table, and no worker that dies in between leaves anything that another one cannot go on with.
 *
 * Times are milliseconds of one monotonic clock for the whole process (`monotonicNow`): performance.now() begins anew in each thread.
 */

/** Counters and states of one endpoint. */
export const WORD = {
  /** Failures in a row; see OutlierDetection. */
  serverErrors: 0,
  gatewayErrors: 1,
  localErrors: 2,
  /** 1: ejected, unless its time is over. */
  ejected: 3,
  /** How often, when it was ejected last. */
  timesEjected: 4,
  /** Of its checks: a VERDICT. */
  verdict: 5,
  /** Checks in a row that ended alike: successes, or (negative) failures. */
  streak: 6,
  /** Number of the worker that checks it, plus 1; 0: nobody. */
  checker: 7,
} as const;
const WORDS = 8;

/** What checks have found out. */
export const VERDICT = { unchecked: 0, healthy: 1, unhealthy: 2 } as const;

/** Times of one endpoint; 0: never. */
export const TIME = {
  /** When the last ejection ends, or ended. */
  ejectedUntil: 0,
  /** When it became fit again. */
  fitSince: 1,
} as const;
const TIMES = 2;

/** What is counted once for the process. */
export const TOTAL = {
  ejectedForServerErrors: 0,
  ejectedForGatewayErrors: 1,
  ejectedForLocalErrors: 2,
  ejectionsPrevented: 3,
  checksPassed: 4,
  checksFailed: 5,
  checksTimedOut: 6,
} as const;
const TOTALS = 8;

const CHANGES = TOTALS;
const HEADER = 16;

/** Bytes of a table of so many slots. */
export function healthBytes(slots: number): number {
  return HEADER * 8 + slots * (TIMES * 8 + WORDS * 4);
}

/** Milliseconds of a monotonic clock that is the same in all threads of the process. */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** The words of one endpoint. `words` and `at` are open, because one load is all that an answered request may cost. */
export class EndpointWords {
  readonly words: Int32Array;
  readonly at: number;
  readonly #times: BigInt64Array;
  readonly #timesAt: number;

  /** Words of shared memory, or without arguments some that belong to nobody else. */
  constructor(
    words: Int32Array = new Int32Array(WORDS),
    at = 0,
    times: BigInt64Array = new BigInt64Array(TIMES),
    timesAt = 0,
  ) {
    this.words = words;
    this.at = at;
    this.#times = times;
    this.#timesAt = timesAt;
  }

  get(word: number): number {
    return Atomics.load(this.words, this.at + word);
  }

  set(word: number, value: number): void {
    Atomics.store(this.words, this.at + word, value);
  }

  /** Adds one; what it makes. */
  increment(word: number): number {
    return Atomics.add(this.words, this.at + word, 1) + 1;
  }

  /** Whether the word was `from`, and is `to` now. */
  swap(word: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.words, this.at + word, from, to) === from;
  }

  time(time: number): number {
    return Number(Atomics.load(this.#times, this.#timesAt + time));
  }

  setTime(time: number, milliseconds: number): void {
    Atomics.store(this.#times, this.#timesAt + time, BigInt(Math.round(milliseconds)));
  }

  /** As for an endpoint that nobody knows. */
  reset(): void {
    for (let word = 0; word < WORDS; word++) if (this.get(word) !== 0) this.set(word, 0);
    for (let time = 0; time < TIMES; time++) if (this.time(time) !== 0) this.setTime(time, 0);
  }
}

/** The words of all endpoints. */
export class HealthTable {
  readonly #header: BigInt64Array;
  readonly #times: BigInt64Array;
  readonly #words: Int32Array;
  readonly #exclusively: (run: () => void) => void;

  /** `exclusively` runs something while no other worker does anything so. */
  constructor(buffer: SharedArrayBuffer, start: number, exclusively: (run: () => void) => void) {
    const slots = (buffer.byteLength - start - HEADER * 8) / (TIMES * 8 + WORDS * 4);
    this.#header = new BigInt64Array(buffer, start, HEADER);
    this.#times = new BigInt64Array(buffer, start + HEADER * 8, slots * TIMES);
    this.#words = new Int32Array(buffer, start + HEADER * 8 + slots * TIMES * 8, slots * WORDS);
    this.#exclusively = exclusively;
  }

  /** A number that is another after each change of an endpoint's fitness. */
  get changes(): bigint {
    return Atomics.load(this.#header, CHANGES);
  }

  /** An endpoint is fitter, or less fit: to be called when that can be seen in its words. */
  noteChange(): void {
    Atomics.add(this.#header, CHANGES, 1n);
  }

  /** Counts one more. */
  count(total: number): void {
    Atomics.add(this.#header, total, 1n);
  }

  /** What was counted. */
  counted(total: number): number {
    return Number(Atomics.load(this.#header, total));
  }

  /** The words of a slot. */
  words(slot: number): EndpointWords {
    return new EndpointWords(this.#words, slot * WORDS, this.#times, slot * TIMES);
  }

  /** Runs something under the lock of the table; it must neither throw nor claim or release slots. */
  exclusively(run: () => void): void {
    this.#exclusively(run);
  }

  /** Takes the check of an endpoint away from a worker that is dead. */
  freeChecker(slot: number, worker: number): void {
    Atomics.compareExchange(this.#words, slot * WORDS + WORD.checker, worker + 1, 0);
  }

  /** How many slots that are in use have this value in this word. Reads all of the table: for who looks every few seconds. */
  countSlots(word: number, value: number, isUsed: (slot: number) => boolean): number {
    let count = 0;
    for (let at = word; at < this.#words.length; at += WORDS) {
      if (this.#words[at] === value && isUsed((at - word) / WORDS)) count++;
    }
    return count;
  }
}
