/**
 * Least request by drawn choices: of some endpoints drawn by weight, the one with the fewest requests for its weight. Two choices are
 * nearly as even as looking at all, and do not herd: proxies that see the same counts still choose differently. More choices
 * are more even, and herd more.
 */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { Candidates } from "./candidates.ts";
import { WeightedSample } from "./weighted-sample.ts";

/** Without load it spreads by weight. */
export class LeastRequestBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #choices: number;
  readonly #candidates = new Candidates<T>();
  #sample = new WeightedSample([]);

  /** `choices` is at least 2. */
  constructor(choices: number) {
    this.#choices = choices;
  }

  update(endpoints: readonly T[]): void {
    this.#candidates.update(endpoints);
    this.#sample = new WeightedSample(endpoints.map((endpoint) => endpoint.weight));
  }

  reweigh(): void {
    const weights = Array.from(
      { length: this.#candidates.size },
      (_, index) => this.#candidates.at(index)?.weight ?? 1,
    );
    this.#sample = new WeightedSample(weights);
  }

  first(random: () => number): T | undefined {
    const { size } = this.#candidates;
    if (size < 2) return size === 0 ? undefined : this.#candidates.begin(0, -1);
    if (this.#choices > 2) return this.#firstOfMany(random);
    const one = this.#sample.draw(random());
    const other = this.#drawOther(one, random());
    // A second draw of the same endpoint (possible by weight) leaves no choice: that is what its weight says.
    if (one === other) return this.#candidates.begin(one, -1);
    return this.#load(other) < this.#load(one)
      ? this.#candidates.begin(other, one)
      : this.#candidates.begin(one, other);
  }

  next(): T | undefined {
    return this.#candidates.next();
  }

  close(): void {
    // nothing is shared with others
  }

  /** Draws with repetition, as weights want it; of equal ones the first drawn. */
  #firstOfMany(random: () => number): T | undefined {
    let best = this.#sample.draw(random());
    let least = this.#load(best);
    let second = -1;
    let secondLeast = Number.POSITIVE_INFINITY;
    for (let drawn = 1; drawn < this.#choices; drawn++) {
      const one = this.#sample.draw(random());
      if (one === best || one === second) continue;
      const load = this.#load(one);
      if (load < least) {
        second = best;
        secondLeast = least;
        best = one;
        least = load;
      } else if (load < secondLeast) {
        second = one;
        secondLeast = load;
      }
    }
    return this.#candidates.begin(best, second);
  }

  #drawOther(one: number, drawn: number): number {
    if (!this.#sample.isEven) return this.#sample.draw(drawn);
    const { size } = this.#candidates;
    const distance = 1 + Math.min(Math.floor(drawn * (size - 1)), size - 2);
    return (one + distance) % size;
  }

  #load(index: number): number {
    const endpoint = this.#candidates.at(index);
    return endpoint === undefined ? 0 : endpoint.active() / endpoint.weight;
  }
}
