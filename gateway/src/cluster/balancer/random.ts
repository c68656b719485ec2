/** Balancing by chance alone, in proportion to weights. */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { Candidates } from "./candidates.ts";
import { WeightedSample } from "./weighted-sample.ts";

/** Independent draws: no state that many proxies could fall into step with. */
export class RandomBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #candidates = new Candidates<T>();
  #sample = new WeightedSample([]);

  update(endpoints: readonly T[]): void {
    this.#candidates.update(endpoints);
    this.#sample = new WeightedSample(endpoints.map((endpoint) => endpoint.weight));
  }

  first(random: () => number): T | undefined {
    if (this.#candidates.size === 0) return undefined;
    return this.#candidates.begin(this.#sample.draw(random()), -1);
  }

  next(): T | undefined {
    return this.#candidates.next();
  }

  reweigh(): void {
    // no slow start here: weights change by update alone
  }

  close(): void {
    // nothing is shared with others
  }
}
