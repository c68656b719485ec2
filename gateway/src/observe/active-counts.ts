/**
 * Requests in flight per upstream endpoint, counted over all workers in shared memory, also for endpoints only DNS knows. Counting is
 * a plain addition in the worker's own stripe; slots are found as SharedSlots says.
 *
 * An endpoint that gets no slot (NO_SLOT) is counted by each worker for itself. A slot is free again when no worker refers to it and
 * nothing is in flight on it.
 *
 * What workers know of the health of an endpoint lies in the same slot (HealthTable), and ends with it.
 */
import { invariant } from "@sallyport/model/result";
import { NO_SLOT, type ActiveCounts } from "./contract.ts";
import { healthBytes, HealthTable } from "./health-words.ts";
import { SharedSlots, slotBytes, type SlotShape, sumOfStripes } from "./shared-slots.ts";

/** How large the table is. */
export type ActiveShape = SlotShape;

/** The table as one worker sees it. */
export class ActiveTable implements ActiveCounts {
  readonly buffer: SharedArrayBuffer;
  /** Of the endpoints that have a slot. */
  readonly health: HealthTable;
  readonly #shape: ActiveShape;
  readonly #slots: SharedSlots;
  /** Stripes: workers x slots. */
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #own: Int32Array<SharedArrayBuffer>;

  /** `worker` is whose stripe this view writes. Without `buffer` a new table is made. */
  constructor(shape: ActiveShape, worker: number, buffer?: SharedArrayBuffer) {
    this.#shape = shape;
    const stripes = shape.slots * shape.workers;
    const start = slotBytes(shape);
    // what follows the counts is in words of 8 bytes
    const healthStart = Math.ceil((start + stripes * 4) / 8) * 8;
    const bytes = healthStart + healthBytes(shape.slots);
    this.buffer = buffer ?? new SharedArrayBuffer(bytes);
    invariant(this.buffer.byteLength === bytes, "an active table is attached with the shape it was made with");
    const isInUse = (slot: number): boolean => this.total(slot) !== 0;
    this.#slots = new SharedSlots(shape, { buffer: this.buffer, start: 0, worker, isInUse });
    this.#counts = new Int32Array(this.buffer, start, stripes);
    this.#own = this.#counts.subarray(worker * shape.slots, (worker + 1) * shape.slots);
    this.health = new HealthTable(this.buffer, healthStart, (run) => this.#slots.exclusively(run));
  }

  claim(clusterKey: string, endpointLabel: string): number {
    // what was known of who had it before, or of this one before it was gone, is no more
    return this.#slots.claim(`${clusterKey}|${endpointLabel}`, (slot) => this.health.words(slot).reset());
  }

  release(slot: number): void {
    this.#slots.release(slot);
  }

  add(slot: number, change: 1 | -1): void {
    if (slot !== NO_SLOT) this.#own[slot] = (this.#own[slot] ?? 0) + change;
  }

  total(slot: number): number {
    return slot === NO_SLOT ? 0 : sumOfStripes(this.#counts, slot, this.#shape.slots);
  }

  /** How many endpoints have this value in this word of their health (WORD). */
  countHealth(word: number, value: number): number {
    return this.health.countSlots(word, value, (slot) => this.#slots.isReferred(slot));
  }

  /**
   * Forgets a dead worker: its lock, its references, what it had in flight and which endpoints it checked; what it found out about their
   * health stays. Only once it is certain to write no more. False: call it again later, as SharedSlots says.
   */
  clearWorker(worker: number): boolean {
    const start = worker * this.#shape.slots;
    const isCleared = this.#slots.clearWorker(worker, (slot, wasReferred) => {
      if (wasReferred) this.health.freeChecker(slot, worker);
      // Reading first keeps pages that were never used without memory behind them.
      if (this.#counts[start + slot] !== 0) this.#counts[start + slot] = 0;
    });
    // others look which of its endpoints nobody checks now
    if (isCleared) this.health.noteChange();
    return isCleared;
  }
}
