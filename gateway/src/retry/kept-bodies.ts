/** How much of request bodies a worker keeps so that they can be sent once more: each one up to a limit, and all together. */

/** Bytes of one body. */
const MOST_OF_ONE = 16_384;
/** Bytes of all bodies of a worker. */
const MOST_OF_ALL = 33_554_432;

/** The room there is. One per worker. */
export class KeptBodies {
  readonly #mostOfAll: number;
  #bytes = 0;

  constructor(mostOfAll = MOST_OF_ALL) {
    this.#mostOfAll = mostOfAll;
  }

  /** Bytes kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a body of so many bytes can be kept at all. */
  fits(bytes: number): boolean {
    return bytes <= MOST_OF_ONE;
  }

  /** Takes room for `more` bytes of a body of which `kept` are there; false where there is none. */
  take(kept: number, more: number): boolean {
    return this.fits(kept + more) && this.takeWhole(more);
  }

  /** Takes room for `more` bytes of a body that has a limit of its own; false where there is none. */
  takeWhole(more: number): boolean {
    if (this.#bytes + more > this.#mostOfAll) return false;
    this.#bytes += more;
    return true;
  }

  /** Gives room back. */
  free(bytes: number): void {
    this.#bytes -= bytes;
  }
}
