/** The rest of a selection: after the one or two endpoints an algorithm chose, all others in turn. */

/** Walks over the endpoints without those already given. */
export class Candidates<T> {
  #endpoints: readonly T[] = [];
  #first = 0;
  /** -1: the algorithm had no second choice. */
  #second = -1;
  #step = 0;

  /** Takes over the endpoints and ends the selection. */
  update(endpoints: readonly T[]): void {
    this.#endpoints = endpoints;
    this.#step = endpoints.length;
  }

  get size(): number {
    return this.#endpoints.length;
  }

  at(index: number): T | undefined {
    return this.#endpoints[index];
  }

  /** Begins a selection with the endpoint at `first`, to be followed by the one at `second` if that is not -1. */
  begin(first: number, second: number): T | undefined {
    this.#first = first;
    this.#second = second;
    this.#step = 0;
    return this.#endpoints[first];
  }

  next(): T | undefined {
    const { size } = this;
    if (this.#step === 0 && this.#second !== -1) {
      this.#step = 1;
      return this.#endpoints[this.#second];
    }
    const skipped = this.#second === -1 ? 0 : 1;
    while (this.#step - skipped < size - 1) {
      this.#step++;
      const index = (this.#first + this.#step - skipped) % size;
      if (index !== this.#second) return this.#endpoints[index];
    }
    return undefined;
  }
}
