/**
 * Which name has which block of metric cells. A name keeps its block while its configuration comes and goes, until the
 * block is needed for another name; names beyond the cap share block 0.
 */

/** The block of all names beyond the cap. */
export const OTHER_BLOCK = 0;

/** A name and its block, as told to workers. */
export type NamedBlock = readonly [name: string, block: number];

/** Hands out blocks 1..capacity-1 to names. */
export class BlockTable {
  readonly #capacity: number;
  readonly #onRecycled: (block: number) => void;
  /** Names in use, and names no longer in use whose block has not been given away, oldest first. */
  readonly #used = new Map<string, number>();
  readonly #retired = new Map<string, number>();
  #next = OTHER_BLOCK + 1;
  #overflowed = 0;

  /** `onRecycled` is called when a block gets a new name, before the new name is returned. */
  constructor(capacity: number, onRecycled: (block: number) => void) {
    this.#capacity = capacity;
    this.#onRecycled = onRecycled;
  }

  /** How many of the names in use share the block of the others. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** Gives every one of these names a block; those in use before keep theirs. */
  reserve(names: Iterable<string>): void {
    for (const name of names) {
      if (this.#used.has(name)) continue;
      const block = this.#retired.get(name) ?? this.#take();
      this.#retired.delete(name);
      if (block !== OTHER_BLOCK) this.#used.set(name, block);
    }
  }

  /** Retires every name that is not among these; their blocks stay theirs until they are needed. */
  retain(names: ReadonlySet<string>): void {
    for (const [name, block] of this.#used) {
      if (names.has(name)) continue;
      this.#used.delete(name);
      this.#retired.set(name, block);
    }
    this.#overflowed = Math.max(0, names.size - this.#used.size);
  }

  /** Block of a name in use; OTHER_BLOCK for all others. */
  get(name: string): number {
    return this.#used.get(name) ?? OTHER_BLOCK;
  }

  /** Names in use that have a block of their own. */
  entries(): readonly NamedBlock[] {
    return [...this.#used];
  }

  #take(): number {
    if (this.#next < this.#capacity) return this.#next++;
    const oldest = this.#retired.entries().next();
    if (oldest.done === true) return OTHER_BLOCK;
    const [name, block] = oldest.value;
    this.#retired.delete(name);
    this.#onRecycled(block);
    return block;
  }
}
