/**
 * Least request by two choices: of two endpoints drawn by weight, the one with fewer requests for its weight. Nearly as
 * even as looking at all of them, and it does not herd: proxies that see the same counts still choose differently.
 */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { Candidates } from "./candidates.ts";
import { WeightedSample } from "./weighted-sample.ts";

/** Two choices; without load it spreads by weight. */
export class LeastRequestBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #candidates = new Candidates<T>();
  #sample = new WeightedSample([]);

  update(endpoints: readonly T[]): void {
    this.#candidates.update(endpoints);
    this.#sample = new WeightedSample(endpoints.map((endpoint) => endpoint.weight));
  }

  first(random: () => number): T | undefined {
    const { size } = this.#candidates;
    if (size < 2) return size === 0 ? undefined : this.#candidates.begin(0, -1);
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
