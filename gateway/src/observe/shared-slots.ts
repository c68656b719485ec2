/**
 * Slots of a table in shared memory that all workers agree on without asking anyone: found by a 64-bit hash of a key in an
 * open-addressed table. Claims and releases are rare (a configuration change) and take a lock; what is kept in a slot is the
 * table's, and may be written at any time.
 *
 * The table has a fixed size: a key whose probe sequence is full gets no slot. A slot is free again when no worker refers to it and
 * the table says that nothing of it is in use.
 */
import { invariant } from "@sallyport/model/result";
import { NO_SLOT } from "./contract.ts";

/** How large a table is. `slots` is a power of two. */
export interface SlotShape {
  readonly workers: number;
  readonly slots: number;
}

/** Where slots lie, and whose they are. */
export interface SlotOptions {
  readonly buffer: SharedArrayBuffer;
  /** Byte at which they begin: a multiple of 8. */
  readonly start: number;
  /** Whose references this view writes. */
  readonly worker: number;
  /** Whether the table still needs a slot that nobody refers to. */
  readonly isInUse: (slot: number) => boolean;
}

const LOCK = 0;
const LOCK_WORDS = 16;
/** A chain longer than this says the table is crowded; going on would make claims slow for little. */
const MAX_PROBES = 64;
/** Milliseconds between looks at a lock somebody holds. Holders keep it for microseconds. */
const LOCK_WAIT = 1;
/** Looks at it by who must not wait for a holder that may be dead. */
const LOCK_LOOKS = 10;

/** Bytes that slots take in front of what the table keeps in them. */
export function slotBytes({ workers, slots }: SlotShape): number {
  return LOCK_WORDS * 4 + slots * 8 + slots * workers * 4 + ((slots * workers) % 2) * 4;
}

/** The slots as one worker sees them. */
export class SharedSlots {
  readonly #shape: SlotShape;
  readonly #worker: number;
  readonly #isInUse: (slot: number) => boolean;
  readonly #lock: Int32Array<SharedArrayBuffer>;
  readonly #keys: BigUint64Array<SharedArrayBuffer>;
  /** Stripes: workers x slots. */
  readonly #references: Int32Array<SharedArrayBuffer>;

  constructor(shape: SlotShape, { buffer, start, worker, isInUse }: SlotOptions) {
    invariant((shape.slots & (shape.slots - 1)) === 0, "slots are a power of two");
    this.#shape = shape;
    this.#worker = worker;
    this.#isInUse = isInUse;
    this.#lock = new Int32Array(buffer, start, LOCK_WORDS);
    this.#keys = new BigUint64Array(buffer, start + LOCK_WORDS * 4, shape.slots);
    const references = start + LOCK_WORDS * 4 + shape.slots * 8;
    this.#references = new Int32Array(buffer, references, shape.slots * shape.workers);
  }

  /**
   * Takes a reference to the slot of this key; NO_SLOT where none is free. `onNew` is called under the lock where nothing of what is in
   * the slot is true any more: it was another key's, or nobody's.
   */
  claim(text: string, onNew?: (slot: number) => void): number {
    const key = toKey(text);
    return this.exclusively(() => {
      const slot = this.#find(key);
      if (slot === NO_SLOT) return slot;
      if (this.#keys[slot] !== key || this.#isUnused(slot)) onNew?.(slot);
      this.#keys[slot] = key;
      this.#refer(slot, 1);
      return slot;
    });
  }

  /** Gives the reference back. */
  release(slot: number): void {
    if (slot === NO_SLOT) return;
    this.exclusively(() => this.#refer(slot, -1));
  }

  /** Whether anybody refers to it. */
  isReferred(slot: number): boolean {
    return sumOfStripes(this.#references, slot, this.#shape.slots) > 0;
  }

  /** Runs something while no other worker runs anything so. */
  exclusively<Result>(run: () => Result): Result {
    while (!this.#acquire());
    return this.#runLocked(run);
  }

  /**
   * Forgets a dead worker: its lock and its references. `clear` is called under the lock for every slot: what the worker kept there goes;
   * `wasReferred`: it referred to the slot. Only once it is certain to write no more.
   *
   * False: somebody else has the lock, and only that of this worker is forgotten. Call it again later: the holder may have died with it,
   * and who waits here for the lock may be the one who is to be told so.
   */
  clearWorker(worker: number, clear: (slot: number, wasReferred: boolean) => void): boolean {
    Atomics.compareExchange(this.#lock, LOCK, worker + 1, 0);
    Atomics.notify(this.#lock, LOCK);
    if (!this.#acquire()) return false;
    this.#runLocked(() => {
      const start = worker * this.#shape.slots;
      for (let slot = 0; slot < this.#shape.slots; slot++) {
        // Reading first keeps pages that were never used without memory behind them.
        const wasReferred = this.#references[start + slot] !== 0;
        if (wasReferred) this.#references[start + slot] = 0;
        clear(slot, wasReferred);
      }
    });
    return true;
  }

  /** The slot that has this key, or else the first free one on the way to it. */
  #find(key: bigint): number {
    const mask = this.#shape.slots - 1;
    let slot = Number(key & BigInt(mask));
    let free = NO_SLOT;
    for (let probe = 0; probe <= Math.min(MAX_PROBES, mask); probe++) {
      const found = this.#keys[slot] ?? 0n;
      if (found === key) return slot;
      if (free === NO_SLOT && (found === 0n || this.#isUnused(slot))) free = slot;
      if (found === 0n) break;
      slot = (slot + 1) & mask;
    }
    return free;
  }

  #isUnused(slot: number): boolean {
    return !this.isReferred(slot) && !this.#isInUse(slot);
  }

  #refer(slot: number, change: 1 | -1): void {
    const at = this.#worker * this.#shape.slots + slot;
    this.#references[at] = (this.#references[at] ?? 0) + change;
  }

  /** False: somebody else has had the lock for longer than any holder that lives, unless the machine is busy. */
  #acquire(): boolean {
    const own = this.#worker + 1;
    for (let look = 0; look < LOCK_LOOKS; look++) {
      const holder = Atomics.compareExchange(this.#lock, LOCK, 0, own);
      if (holder === 0) return true;
      Atomics.wait(this.#lock, LOCK, holder, LOCK_WAIT);
    }
    return false;
  }

  #runLocked<Result>(run: () => Result): Result {
    try {
      return run();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    Atomics.store(this.#lock, LOCK, 0);
    Atomics.notify(this.#lock, LOCK);
  }
}

/** What a cell holds over all stripes, which are `stripe` cells long. */
export function sumOfStripes(cells: Int32Array, cell: number, stripe: number): number {
  let sum = 0;
  for (let at = cell; at < cells.length; at += stripe) sum += cells[at] ?? 0;
  return sum;
}

/** Two FNV-1a style hashes with different offsets make 64 bits; never 0, which marks a slot that was never used. */
function toKey(text: string): bigint {
  let low = 0x811c9dc5;
  let high = 0x9e3779b1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 13;
  }
  low ^= low >>> 15;
  const key = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return key === 0n ? 1n : key;
}
