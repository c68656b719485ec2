/** Which stream's DATA goes next: by urgency, and in turn within one (RFC 9218 section 10). */
import type { Http2Stream } from "./stream.ts";

const LEVELS = 8;

/** Streams that have DATA and a window for it. A ring of streams for each urgency. */
export class SendOrder {
  readonly #heads: (Http2Stream | undefined)[] = [];
  #count = 0;

  /** Nobody waits. */
  get empty(): boolean {
    return this.#count === 0;
  }

  /** Adds a stream behind the others of its urgency; a no-op for one that is in. */
  add(stream: Http2Stream): void {
    if (stream.nextToSend !== undefined) return;
    const { urgency } = stream.priority;
    const head = this.#heads[urgency];
    stream.queuedAt = urgency;
    this.#count++;
    if (head === undefined) {
      stream.nextToSend = stream.previousToSend = stream;
      this.#heads[urgency] = stream;
      return;
    }
    const tail = head.previousToSend ?? head;
    stream.nextToSend = head;
    stream.previousToSend = tail;
    tail.nextToSend = stream;
    head.previousToSend = stream;
  }

  /** Takes a stream out; a no-op for one that is not in. */
  remove(stream: Http2Stream): void {
    const { nextToSend: next, previousToSend: previous, queuedAt } = stream;
    if (next === undefined || previous === undefined) return;
    this.#count--;
    previous.nextToSend = next;
    next.previousToSend = previous;
    if (this.#heads[queuedAt] === stream) this.#heads[queuedAt] = next === stream ? undefined : next;
    stream.nextToSend = stream.previousToSend = undefined;
  }

  /** Whose turn it is. */
  first(): Http2Stream | undefined {
    if (this.#count === 0) return undefined;
    for (let urgency = 0; urgency < LEVELS; urgency++) {
      const head = this.#heads[urgency];
      if (head !== undefined) return head;
    }
    return undefined;
  }

  /** It had its turn: who shares goes behind the others. */
  rotate(stream: Http2Stream): void {
    if (stream.priority.incremental && stream.nextToSend !== undefined)
      this.#heads[stream.queuedAt] = stream.nextToSend;
  }
}
