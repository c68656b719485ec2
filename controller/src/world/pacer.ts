/** Keeps long work from holding up the event loop: the data plane may be waiting on it. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Longest time, in milliseconds, that work goes on without letting others run. */
const sliceMillis = 4;

/** Hands the event loop over whenever a slice of time is used up. */
export class Pacer {
  #sliceStart = performance.now();

  /** To be awaited between pieces of work. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#sliceStart < sliceMillis) return;
    await nextTurn();
    this.#sliceStart = performance.now();
  }
}
