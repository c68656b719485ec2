/** A header block that comes in fragments: HEADERS and CONTINUATION frames (RFC 9113 section 4.3), bounded in both (VU#421644). */

/** Limits of a header block. */
export interface BlockLimits {
  /** Bytes of all its fragments. */
  readonly bytes: number;
  /** CONTINUATION frames. */
  readonly frames: number;
}

/** Joins fragments; the memory grows with what came. */
export class BlockFragments {
  bytes: Buffer;
  length: number;
  #frames = 0;

  /** Begins with the fragment of HEADERS. */
  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = Buffer.from(bytes.subarray(from, to));
    this.length = to - from;
  }

  /** Adds the fragment of a CONTINUATION. False: that is too much. */
  append(bytes: Buffer, from: number, to: number, limits: BlockLimits): boolean {
    const length = this.length + to - from;
    if (++this.#frames > limits.frames || length > limits.bytes) return false;
    if (length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, length));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    bytes.copy(this.bytes, this.length, from, to);
    this.length = length;
    return true;
  }
}
