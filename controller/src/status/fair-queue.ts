/** A queue that serves namespaces in turn: whoever has ten thousand routes delays his own statuses and nobody else's. */

/** What waits. */
export interface Waiting {
  readonly ref: { readonly namespace: string };
}

/** Each item once; of a namespace first come, first served. All operations take constant time. */
export class FairQueue<T extends Waiting> {
  /** Namespaces with something waiting, the next to be served first. */
  readonly #turns = new Map<string, Set<T>>();
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Appends an item; one that waits already keeps its place. A namespace that had nothing waiting is served after all others. */
  add(item: T): void {
    const { namespace } = item.ref;
    let items = this.#turns.get(namespace);
    if (items === undefined) {
      items = new Set();
      this.#turns.set(namespace, items);
    }
    if (items.has(item)) return;
    items.add(item);
    this.#size++;
  }

  /** Takes an item out, if it is there. */
  delete(item: T): void {
    const { namespace } = item.ref;
    const items = this.#turns.get(namespace);
    if (items?.delete(item) !== true) return;
    this.#size--;
    if (items.size === 0) this.#turns.delete(namespace);
  }

  /** Takes the next item out; undefined where nothing waits. */
  take(): T | undefined {
    for (const [namespace, items] of this.#turns) {
      for (const item of items) {
        this.delete(item);
        // To the end of the queue of namespaces.
        if (this.#turns.delete(namespace)) this.#turns.set(namespace, items);
        return item;
      }
    }
    return undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#turns.clear();
    this.#size = 0;
  }
}
