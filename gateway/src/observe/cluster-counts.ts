/**
 * What limits of clusters count, over all workers in shared memory: a stripe per worker, which it alone writes by plain additions;
 * readers sum the stripes. Sums are read without a lock, so that of two workers that look at the same moment both may find the last
 * place free: a limit is exceeded by at most (workers - 1), and with one worker never.
 *
 * Every view (one cluster object of one worker, or one of its endpoints) knows besides what it added itself. Two clusters of one key
 * (the one of the configuration before, and its successor) count in the same slot.
 */
import { invariant } from "@sallyport/model/result";
import { COUNTED, NO_SLOT, type ClusterCount, type ClusterCounts, type Counted } from "./contract.ts";
import { SharedSlots, slotBytes, sumOfStripes, type SlotShape } from "./shared-slots.ts";

/** Words of a slot in each stripe. */
const SLOT_WORDS = 8;
const KINDS = Object.values(COUNTED).length;
invariant(KINDS <= SLOT_WORDS, "every kind that is counted has a word");

/** The table as one worker sees it. */
export class ClusterCountTable implements ClusterCounts {
  readonly buffer: SharedArrayBuffer;
  readonly #shape: SlotShape;
  readonly #worker: number;
  readonly #slots: SharedSlots;
  /** Stripes: workers x slots x SLOT_WORDS. */
  readonly #cells: Int32Array<SharedArrayBuffer>;
  /** Slots x SLOT_WORDS: which worker (plus 1) has noticed that the limit is reached; 0: nobody. */
  readonly #alarms: Int32Array<SharedArrayBuffer>;

  /** `worker` is whose stripe this view writes. Without `buffer` a new table is made. */
  constructor(shape: SlotShape, worker: number, buffer?: SharedArrayBuffer) {
    this.#shape = shape;
    this.#worker = worker;
    const stripe = shape.slots * SLOT_WORDS;
    const start = slotBytes(shape);
    const bytes = start + stripe * (shape.workers + 1) * 4;
    this.buffer = buffer ?? new SharedArrayBuffer(bytes);
    invariant(this.buffer.byteLength === bytes, "a table of counts is attached with the shape it was made with");
    this.#cells = new Int32Array(this.buffer, start, stripe * shape.workers);
    this.#alarms = new Int32Array(this.buffer, start + stripe * shape.workers * 4, stripe);
    const isInUse = (slot: number): boolean => this.#isInUse(slot);
    this.#slots = new SharedSlots(shape, { buffer: this.buffer, start: 0, worker, isInUse });
  }

  claim(key: string): ClusterCount {
    const slot = this.#slots.claim(key, (found) => this.#lowerAlarms(found, undefined));
    if (slot === NO_SLOT) return new CountView(toPrivateCells());
    const stripe = this.#shape.slots * SLOT_WORDS;
    const at = slot * SLOT_WORDS;
    const own = this.#worker * stripe + at;
    const release = (): void => this.#slots.release(slot);
    return new CountView({
      cells: this.#cells,
      stripe,
      at,
      own,
      alarms: this.#alarms,
      worker: this.#worker,
      release,
    });
  }

  /**
   * Forgets a dead worker: its lock, its references and what it counted. Only once it is certain to write no more. False: call it again
   * later, as SharedSlots says.
   */
  clearWorker(worker: number): boolean {
    const start = worker * this.#shape.slots * SLOT_WORDS;
    return this.#slots.clearWorker(worker, (slot, wasReferred) => {
      if (!wasReferred) return;
      this.#lowerAlarms(slot, worker);
      for (let at = start + slot * SLOT_WORDS, end = at + SLOT_WORDS; at < end; at++)
        if (this.#cells[at] !== 0) this.#cells[at] = 0;
    });
  }

  /** Lowers the alarms of this worker; undefined: all. */
  #lowerAlarms(slot: number, worker: number | undefined): void {
    for (let at = slot * SLOT_WORDS, end = at + SLOT_WORDS; at < end; at++) {
      const raisedBy = Atomics.load(this.#alarms, at);
      if (raisedBy !== 0 && (worker === undefined || raisedBy === worker + 1)) Atomics.store(this.#alarms, at, 0);
    }
  }

  #isInUse(slot: number): boolean {
    const stripe = this.#shape.slots * SLOT_WORDS;
    for (let word = 0; word < KINDS; word++)
      if (sumOfStripes(this.#cells, slot * SLOT_WORDS + word, stripe) !== 0) return true;
    return false;
  }
}

/** Where a view counts. */
interface CountedCells {
  readonly cells: Int32Array;
  /** Length of a stripe, and where the slot begins in the first one and in that of this worker. */
  readonly stripe: number;
  readonly at: number;
  readonly own: number;
  readonly alarms: Int32Array;
  readonly worker: number;
  release(): void;
}

/** Cells that belong to one view alone: where there is no slot, or none any more. */
function toPrivateCells(): CountedCells {
  const cells = new Int32Array(SLOT_WORDS);
  const alarms = new Int32Array(SLOT_WORDS);
  return { cells, stripe: SLOT_WORDS, at: 0, own: 0, alarms, worker: 0, release: () => undefined };
}

class CountView implements ClusterCount {
  #cells: CountedCells;
  readonly #mine = new Int32Array(SLOT_WORDS);
  #isReleased = false;

  constructor(cells: CountedCells) {
    this.#cells = cells;
  }

  add(kind: Counted, change: number): void {
    const { cells, own } = this.#cells;
    this.#mine[kind] = (this.#mine[kind] ?? 0) + change;
    cells[own + kind] = (cells[own + kind] ?? 0) + change;
    if (this.#isReleased) this.#leaveIfUnused();
  }

  mine(kind: Counted): number {
    return this.#mine[kind] ?? 0;
  }

  total(kind: Counted): number {
    const { cells, at, stripe } = this.#cells;
    return sumOfStripes(cells, at + kind, stripe);
  }

  raise(kind: Counted): boolean {
    const { alarms, at, worker } = this.#cells;
    return Atomics.compareExchange(alarms, at + kind, 0, worker + 1) === 0;
  }

  lower(kind: Counted): void {
    const { alarms, at, worker } = this.#cells;
    Atomics.compareExchange(alarms, at + kind, worker + 1, 0);
  }

  isRaised(kind: Counted): boolean {
    const { alarms, at } = this.#cells;
    return Atomics.load(alarms, at + kind) !== 0;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#leaveIfUnused();
  }

  /** The slot may be another key's as soon as nothing is counted in it: what comes late is counted apart. */
  #leaveIfUnused(): void {
    if (this.#mine.some((count) => count !== 0)) return;
    this.#cells.release();
    this.#cells = toPrivateCells();
    this.#isReleased = false;
  }
}
