/**
 * Weighted round robin: in turn where weights are equal, else by earliest deadline, where an endpoint of weight w is due
 * every 1/w. Both are smooth (no runs on one endpoint) and, given the draws at update, deterministic.
 */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { Candidates } from "./candidates.ts";

/** Round robin. An update begins at a drawn place, else frequent updates would favour the first endpoints. */
export class RoundRobinBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #candidates = new Candidates<T>();
  #isEven = true;
  #turn = 0;
  #deadlines = new Float64Array(0);
  #periods = new Float64Array(0);
  /** Indices of endpoints, a heap by deadline. */
  #heap = new Int32Array(0);

  update(endpoints: readonly T[], random: () => number): void {
    this.#candidates.update(endpoints);
    const [first] = endpoints;
    this.#isEven = endpoints.every((endpoint) => endpoint.weight === first?.weight);
    this.#turn = Math.floor(random() * endpoints.length);
    if (this.#isEven) return;
    this.#periods = Float64Array.from(endpoints, (endpoint) => 1 / endpoint.weight);
    this.#deadlines = this.#periods.map((period) => period * random());
    this.#heap = Int32Array.from(endpoints.keys());
    this.#heap.sort((one, other) => this.#deadline(one) - this.#deadline(other));
  }

  first(): T | undefined {
    if (this.#candidates.size === 0) return undefined;
    return this.#candidates.begin(this.#isEven ? this.#takeTurn() : this.#takeDue(), -1);
  }

  next(): T | undefined {
    return this.#candidates.next();
  }

  #takeTurn(): number {
    const turn = this.#turn < this.#candidates.size ? this.#turn : 0;
    this.#turn = turn + 1;
    return turn;
  }

  #takeDue(): number {
    const due = this.#heap[0] ?? 0;
    this.#deadlines[due] = this.#deadline(due) + (this.#periods[due] ?? 1);
    this.#siftDown();
    return due;
  }

  #deadline(index: number): number {
    return this.#deadlines[index] ?? 0;
  }

  #siftDown(): void {
    const heap = this.#heap;
    const moved = heap[0] ?? 0;
    const deadline = this.#deadline(moved);
    let at = 0;
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
