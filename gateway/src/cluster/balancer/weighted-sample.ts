/** Draws an index by weight: in constant time where all weights are equal, else by bisection of their running sums. */

/** The weights of a set of endpoints, ready to draw from. */
export class WeightedSample {
  readonly #size: number;
  /** Running sums; undefined where all weights are equal. */
  readonly #sums: Float64Array | undefined;

  constructor(weights: readonly number[]) {
    this.#size = weights.length;
    const [first] = weights;
    if (weights.every((weight) => weight === first)) return;
    let sum = 0;
    this.#sums = Float64Array.from(weights, (weight) => (sum += weight));
  }

  /** Whether all weights are equal. */
  get isEven(): boolean {
    return this.#sums === undefined;
  }

  /** An index; `drawn` is uniform in [0, 1). */
  draw(drawn: number): number {
    const sums = this.#sums;
    const last = this.#size - 1;
    if (sums === undefined) return Math.min(Math.floor(drawn * this.#size), last);
    const wanted = drawn * (sums[last] ?? 0);
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) <= wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
