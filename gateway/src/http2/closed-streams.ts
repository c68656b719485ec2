/**
 * Streams that were closed lately and by whom: frames for them may be under way, or be a mistake of the peer (RFC 9113 section
 * 5.1, "closed").
 */

/** So many are remembered. */
const KEPT = 256;

/** Who closed a stream. */
export type ClosedBy = "peer" | "us";

/** A ring of stream ids, negative where we reset them. */
export class ClosedStreams {
  readonly #ids: number[] = [];
  #next = 0;

  /** Adds a stream. `us`: by RST_STREAM of ours, so more frames of the peer may come. */
  add(id: number, by: ClosedBy): void {
    const entry = by === "us" ? -id : id;
    if (this.#ids.length < KEPT) this.#ids.push(entry);
    else this.#ids[this.#next++ % KEPT] = entry;
  }

  /** Undefined: it was never open, or too long ago. */
  by(id: number): ClosedBy | undefined {
    if (this.#ids.includes(id)) return "peer";
    return this.#ids.includes(-id) ? "us" : undefined;
  }
}
