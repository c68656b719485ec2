/**
 * Deadlines of many things on one interval: a wheel of lists. To move a deadline is one store: an entry stays in its slot
 * and is moved on when that slot comes up, and only a deadline that comes *before* its slot is linked anew. So a busy
 * connection that moves its deadline with every request costs the wheel nothing.
 *
 * Sans-IO: advance() is the clock. Deadlines are met within one tick after they fall due, never before.
 */

const SLOTS = 64;
/** Farthest slot ahead; every entry is looked at so often. */
const REACH = SLOTS - 1;

/** Something that can be late. */
export abstract class Timed {
  /** Tick at which it is late; -1: never. */
  deadline = -1;
  /** Tick at which the wheel looks at it; -1: it is in no wheel. */
  lookAt = -1;
  nextTimed: Timed | undefined = undefined;
  previousTimed: Timed | undefined = undefined;

  /** It is late. It is in no wheel any more and may be armed again. */
  abstract onLate(): void;
  /** The wheel passes by and the deadline lies ahead: a chance to tidy up. */
  onVisit(): void {}
}

/** A wheel of one tick length. */
export class Wheel {
  readonly #tick: number;
  readonly #slots: (Timed | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  #now = 0;
  #count = 0;

  /** `tick`: milliseconds between two calls of advance(). */
  constructor(tick: number) {
    this.#tick = tick;
  }

  /** Entries armed now. */
  get count(): number {
    return this.#count;
  }

  /** Milliseconds of a tick. */
  get tick(): number {
    return this.#tick;
  }

  /** Sets the deadline of an entry to so many milliseconds from now; arms it if it is not. */
  arm(entry: Timed, milliseconds: number): void {
    // one more tick, because the current one has begun
    const deadline = this.#now + Math.ceil(milliseconds / this.#tick) + 1;
    entry.deadline = deadline;
    if (entry.lookAt < 0) this.#link(entry);
    else if (deadline < entry.lookAt) {
      this.#unlink(entry);
      this.#link(entry);
    }
  }

  /** Takes an entry out; a no-op for one that is not in. */
  disarm(entry: Timed): void {
    if (entry.lookAt >= 0) this.#unlink(entry);
    entry.deadline = -1;
  }

  /** Milliseconds until the deadline of an entry, at least; Infinity for one that is not armed. */
  left({ deadline }: Timed): number {
    return deadline < 0 ? Infinity : Math.max(0, deadline - this.#now - 1) * this.#tick;
  }

  /** One tick has passed. */
  advance(): void {
    const now = ++this.#now;
    let entry = this.#slots[now % SLOTS];
    this.#slots[now % SLOTS] = undefined;
    // first taken out whole: what onLate() arms or disarms must not disturb the walk
    const due: Timed[] = [];
    for (; entry !== undefined; entry = entry.nextTimed) due.push(entry);
    for (const one of due) this.#detach(one);
    for (const one of due) {
      if (one.lookAt >= 0) continue;
      if (one.deadline > now) {
        this.#link(one);
        one.onVisit();
      } else if (one.deadline >= 0) one.onLate();
    }
  }

  #link(entry: Timed): void {
    const lookAt = Math.min(entry.deadline, this.#now + REACH);
    const slot = lookAt % SLOTS;
    const head = this.#slots[slot];
    entry.lookAt = lookAt;
    entry.previousTimed = undefined;
    entry.nextTimed = head;
    if (head !== undefined) head.previousTimed = entry;
    this.#slots[slot] = entry;
    this.#count++;
  }

  #unlink(entry: Timed): void {
    const { previousTimed: previous, nextTimed: next } = entry;
    if (previous === undefined) this.#slots[entry.lookAt % SLOTS] = next;
    else previous.nextTimed = next;
    if (next !== undefined) next.previousTimed = previous;
    this.#detach(entry);
  }

  #detach(entry: Timed): void {
    entry.lookAt = -1;
    entry.nextTimed = undefined;
    entry.previousTimed = undefined;
    this.#count--;
  }
}
