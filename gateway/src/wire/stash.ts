/** Bytes that were read before their time: the beginning of a head, pipelined requests, a body nobody takes yet. */

const SMALLEST = 2048;

/** Grows by doubling; gives its memory up when it is empty. */
export class Stash {
  #bytes: Buffer | undefined = undefined;
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  /** The memory and the range in it; undefined where there is nothing. */
  get bytes(): Buffer | undefined {
    return this.#bytes;
  }

  get from(): number {
    return this.#from;
  }

  get to(): number {
    return this.#to;
  }

  /** Adds a copy of bytes[from, to). */
  append(bytes: Buffer, from: number, to: number): void {
    const count = to - from;
    if (count <= 0) return;
    const room = this.#room(count);
    bytes.copy(room, this.#to, from, to);
    this.#to += count;
  }

  /** What is before this offset has been used. */
  consumeTo(offset: number): void {
    this.#from = offset;
    if (this.#from >= this.#to) this.clear();
  }

  clear(): void {
    this.#bytes = undefined;
    this.#from = 0;
    this.#to = 0;
  }

  #room(count: number): Buffer {
    const bytes = this.#bytes;
    const held = this.#to - this.#from;
    if (bytes !== undefined && this.#to + count <= bytes.length) return bytes;
    const grown = Buffer.allocUnsafeSlow(Math.max(SMALLEST, 2 * held, held + count));
    if (bytes !== undefined) bytes.copy(grown, 0, this.#from, this.#to);
    this.#bytes = grown;
    this.#from = 0;
    this.#to = held;
    return grown;
  }
}
