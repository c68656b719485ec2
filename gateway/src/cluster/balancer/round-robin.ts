/**
 * Weighted round robin: in turn where weights are equal, else by earliest deadline. Both are smooth (no runs on one endpoint)
 * and, given the draws at update, deterministic.
 */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { Candidates } from "./candidates.ts";
import { DeadlineQueue } from "./deadline-queue.ts";

/** Round robin. An update begins at a drawn place, else frequent updates would favour the first endpoints. */
export class RoundRobinBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #candidates = new Candidates<T>();
  #turn = 0;
  /** Undefined where weights are equal. */
  #queue: DeadlineQueue | undefined = undefined;

  update(endpoints: readonly T[], random: () => number): void {
    this.#candidates.update(endpoints);
    this.#turn = Math.floor(random() * endpoints.length);
    const weights = this.#weights();
    this.#queue = isEven(weights) ? undefined : new DeadlineQueue(weights, random);
  }

  reweigh(): void {
    const weights = this.#weights();
    if (isEven(weights)) this.#queue = undefined;
    else if (this.#queue !== undefined) this.#queue.reweigh(weights);
    else this.#queue = new DeadlineQueue(weights, (index) => this.#waitOf(index));
  }

  first(): T | undefined {
    if (this.#candidates.size === 0) return undefined;
    return this.#candidates.begin(this.#queue === undefined ? this.#takeTurn() : this.#queue.take(), -1);
  }

  next(): T | undefined {
    return this.#candidates.next();
  }

  close(): void {
    // nothing is shared with others
  }

  #takeTurn(): number {
    const turn = this.#turn < this.#candidates.size ? this.#turn : 0;
    this.#turn = turn + 1;
    return turn;
  }

  /** How much of a round passes before its turn, in (0, 1]. */
  #waitOf(index: number): number {
    const { size } = this.#candidates;
    return (((index - this.#turn + size) % size) + 1) / size;
  }

  #weights(): number[] {
    return Array.from({ length: this.#candidates.size }, (_, index) => this.#candidates.at(index)?.weight ?? 1);
  }
}

function isEven(weights: readonly number[]): boolean {
  const [first] = weights;
  return weights.every((weight) => weight === first);
}
