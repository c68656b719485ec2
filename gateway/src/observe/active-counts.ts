/**
 * Requests in flight per upstream endpoint, counted over all workers in shared memory. Slots are found by a 64-bit hash of
 * the endpoint's key in an open-addressed table, so that workers agree on them without asking anyone, also for endpoints
 * only DNS knows. Claims and releases are rare (a configuration change) and take a lock; counting is a plain addition in
 * the worker's own stripe.
 *
 * The table has a fixed size. An endpoint whose probe sequence is full gets no slot (NO_SLOT): it is then counted by each
 * worker for itself. A slot is free again when no worker refers to it and nothing is in flight on it.
 *
 * What workers know of the health of an endpoint lies in the same slot (HealthTable), and ends with it.
 */
import { invariant } from "@sallyport/model/result";
import { NO_SLOT, type ActiveCounts } from "./contract.ts";
import { healthBytes, HealthTable } from "./health-words.ts";

/** How large the table is. `slots` is a power of two. */
export interface ActiveShape {
  readonly workers: number;
  readonly slots: number;
}

const LOCK = 0;
const LOCK_WORDS = 16;
/** A chain longer than this says the table is crowded; going on would make claims slow for little. */
const MAX_PROBES = 64;
/** Milliseconds between looks at a lock somebody holds. Holders keep it for microseconds. */
const LOCK_WAIT = 1;

/** The table as one worker sees it. */
export class ActiveTable implements ActiveCounts {
  readonly buffer: SharedArrayBuffer;
  /** Of the endpoints that have a slot. */
  readonly health: HealthTable;
  readonly #shape: ActiveShape;
  readonly #worker: number;
  readonly #lock: Int32Array<SharedArrayBuffer>;
  readonly #keys: BigUint64Array<SharedArrayBuffer>;
  /** Stripes: workers x slots. */
  readonly #references: Int32Array<SharedArrayBuffer>;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #own: Int32Array<SharedArrayBuffer>;

  /** `worker` is whose stripe this view writes. Without `buffer` a new table is made. */
  constructor(shape: ActiveShape, worker: number, buffer?: SharedArrayBuffer) {
    invariant((shape.slots & (shape.slots - 1)) === 0, "slots are a power of two");
    this.#shape = shape;
    this.#worker = worker;
    const stripes = shape.slots * shape.workers;
    const bytes = LOCK_WORDS * 4 + shape.slots * 8 + stripes * 8 + healthBytes(shape.slots);
    this.buffer = buffer ?? new SharedArrayBuffer(bytes);
    invariant(this.buffer.byteLength === bytes, "an active table is attached with the shape it was made with");
    let at = LOCK_WORDS * 4;
    this.#lock = new Int32Array(this.buffer, 0, LOCK_WORDS);
    this.#keys = new BigUint64Array(this.buffer, at, shape.slots);
    this.#references = new Int32Array(this.buffer, (at += shape.slots * 8), stripes);
    this.#counts = new Int32Array(this.buffer, (at += stripes * 4), stripes);
    this.health = new HealthTable(this.buffer, at + stripes * 4, (run) => {
      this.#acquire();
      try {
        run();
      } finally {
        this.#release();
      }
    });
    this.#own = this.#counts.subarray(worker * shape.slots, (worker + 1) * shape.slots);
  }

  claim(clusterKey: string, endpointLabel: string): number {
    const key = toKey(`${clusterKey}|${endpointLabel}`);
    this.#acquire();
    const slot = this.#find(key);
    if (slot !== NO_SLOT) {
      // what was known of who had it before, or of this one before it was gone, is no more
      if (this.#keys[slot] !== key || this.#isUnused(slot)) this.health.words(slot).reset();
      this.#keys[slot] = key;
      this.#refer(slot, 1);
    }
    this.#release();
    return slot;
  }

  release(slot: number): void {
    if (slot === NO_SLOT) return;
    this.#acquire();
    this.#refer(slot, -1);
    this.#release();
  }

  add(slot: number, change: 1 | -1): void {
    if (slot !== NO_SLOT) this.#own[slot] = (this.#own[slot] ?? 0) + change;
  }

  total(slot: number): number {
    return slot === NO_SLOT ? 0 : this.#over(this.#counts, slot);
  }

  /** How many endpoints have this value in this word of their health (WORD). */
  countHealth(word: number, value: number): number {
    return this.health.countSlots(word, value, (slot) => this.#over(this.#references, slot) > 0);
  }

  /**
   * Forgets a dead worker: its lock, its references, what it had in flight and which endpoints it checked; what it found out about their
   * health stays. Only once it is certain to write no more.
   */
  clearWorker(worker: number): void {
    Atomics.compareExchange(this.#lock, LOCK, worker + 1, 0);
    Atomics.notify(this.#lock, LOCK);
    this.#acquire();
    const start = worker * this.#shape.slots;
    for (let at = start; at < start + this.#shape.slots; at++) {
      // Reading first keeps pages that were never used without memory behind them.
      if (this.#references[at] !== 0) {
        this.#references[at] = 0;
        this.health.freeChecker(at - start, worker);
      }
      if (this.#counts[at] !== 0) this.#counts[at] = 0;
    }
    this.#release();
    // others look which of its endpoints nobody checks now
    this.health.noteChange();
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
    return this.#over(this.#references, slot) <= 0 && this.#over(this.#counts, slot) === 0;
  }

  #refer(slot: number, change: 1 | -1): void {
    const at = this.#worker * this.#shape.slots + slot;
    this.#references[at] = (this.#references[at] ?? 0) + change;
  }

  #over(cells: Int32Array, slot: number): number {
    let sum = 0;
    for (let at = slot; at < cells.length; at += this.#shape.slots) sum += cells[at] ?? 0;
    return sum;
  }

  #acquire(): void {
    const own = this.#worker + 1;
    for (;;) {
      const holder = Atomics.compareExchange(this.#lock, LOCK, 0, own);
      if (holder === 0) return;
      Atomics.wait(this.#lock, LOCK, holder, LOCK_WAIT);
    }
  }

  #release(): void {
    Atomics.store(this.#lock, LOCK, 0);
    Atomics.notify(this.#lock, LOCK);
  }
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
