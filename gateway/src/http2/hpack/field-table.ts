/** The dynamic table of HPACK (RFC 7541 section 2.3.2), as both sides keep it: first in, first out, within a size. */

/** What the table holds. */
export interface SizedEntry {
  /** Octets as RFC 7541 section 4.1 counts them. */
  readonly size: number;
}

/** A table of the last entries; their sizes together never exceed its own. */
export class FieldTable<Entry extends SizedEntry> {
  /** How often it changed. */
  version = 0;
  /** Entries that were ever added; the last one is `added - 1`. */
  added = 0;
  /** Entries in it. */
  count = 0;
  /** Entry n lies at n modulo the length, which is a power of two and grows with need. */
  #ring = emptyRing<Entry>(16);
  #size = 0;
  #maxSize: number;

  readonly #onEvicted: ((entry: Entry) => void) | undefined;

  /** `onEvicted` hears of each entry that goes. */
  constructor(maxSize: number, onEvicted?: (entry: Entry) => void) {
    this.#maxSize = maxSize;
    this.#onEvicted = onEvicted;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** The entry so many behind the newest; undefined where there is none. */
  at(back: number): Entry | undefined {
    return back < this.count ? this.#ring[(this.added - 1 - back) & (this.#ring.length - 1)] : undefined;
  }

  /** Section 4.4: makes room, then adds; an entry larger than the table empties it. */
  add(entry: Entry): void {
    this.version++;
    this.#evict(Math.max(0, this.#maxSize - entry.size));
    if (entry.size > this.#maxSize) return;
    if (this.count === this.#ring.length) this.#grow();
    this.#ring[this.added & (this.#ring.length - 1)] = entry;
    this.added++;
    this.count++;
    this.#size += entry.size;
  }

  /** Section 4.3. */
  resize(maxSize: number): void {
    this.version++;
    this.#maxSize = maxSize;
    this.#evict(maxSize);
  }

  #evict(size: number): void {
    const mask = this.#ring.length - 1;
    while (this.#size > size) {
      const place = (this.added - this.count) & mask;
      const entry = this.#ring[place];
      if (entry === undefined) return;
      this.#ring[place] = undefined;
      this.#size -= entry.size;
      this.count--;
      this.#onEvicted?.(entry);
    }
  }

  #grow(): void {
    const old = this.#ring;
    this.#ring = emptyRing<Entry>(old.length * 2);
    for (let n = this.added - this.count; n < this.added; n++)
      this.#ring[n & (this.#ring.length - 1)] = old[n & (old.length - 1)];
  }
}

function emptyRing<Entry>(length: number): (Entry | undefined)[] {
  return Array.from({ length }, () => undefined);
}
