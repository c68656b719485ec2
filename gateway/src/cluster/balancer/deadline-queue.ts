/** Turns by earliest deadline: whose weight is w is due every 1/w. Smooth: the turns of one are spread among those of the others. */

/** Indices of weights in the order in which they are due. */
export class DeadlineQueue {
  readonly #deadlines: Float64Array;
  readonly #periods: Float64Array;
  /** Indices, a heap by deadline. */
  readonly #heap: Int32Array;
  #now = 0;

  /** `startOf`: when in its first period each is due, in (0, 1]. */
  constructor(weights: readonly number[], startOf: (index: number) => number) {
    this.#periods = Float64Array.from(weights, (weight) => 1 / weight);
    this.#deadlines = this.#periods.map((period, index) => period * startOf(index));
    this.#heap = Int32Array.from(weights.keys());
    this.#order();
  }

  /** Who is due; it is so again after its period. */
  take(): number {
    const due = this.#heap[0] ?? 0;
    this.#now = this.#deadline(due);
    this.#deadlines[due] = this.#now + (this.#periods[due] ?? 1);
    this.#siftDown(0);
    return due;
  }

  /** Other weights for the same ones: what is left of each period is longer or shorter as the period is. */
  reweigh(weights: readonly number[]): void {
    for (const [index, weight] of weights.entries()) {
      const period = 1 / weight;
      const left = (this.#deadline(index) - this.#now) / (this.#periods[index] ?? 1);
      this.#deadlines[index] = this.#now + left * period;
      this.#periods[index] = period;
    }
    this.#order();
  }

  #order(): void {
    for (let at = (this.#heap.length >>> 1) - 1; at >= 0; at--) this.#siftDown(at);
  }

  #deadline(index: number): number {
    return this.#deadlines[index] ?? 0;
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const moved = heap[from] ?? 0;
    const deadline = this.#deadline(moved);
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && this.#deadline(right) < this.#deadline(heap[child] ?? 0)) child++;
      const least = heap[child] ?? 0;
      if (this.#deadline(least) >= deadline) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = moved;
  }
}
