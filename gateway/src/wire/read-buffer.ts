/**
 * Memory that sockets read into. Small reads of all sockets share one buffer: libuv reads and calls back in one go, so its
 * bytes are valid inside the callback. A large body gets buffers of its own, which are written as they are, without a
 * copy, and go back to their pool when nobody holds them.
 */
import type { BodyLease } from "../exchange/contract.ts";

/** Bytes of the shared buffer, and of a large body's first buffer. */
export const READ_SIZE = 65_536;
/** Bytes of a fast large body's buffer: a quarter of the system calls. */
export const LARGE_READ_SIZE = 262_144;
/** Buffers of either size that are kept for reuse. */
const KEPT = 32;

const shared: { bytes: Buffer | undefined } = { bytes: undefined };
const free: Record<"normal" | "large", ReadBuffer[]> = { normal: [], large: [] };

/** The buffer that all sockets of this thread read into; made when it is first asked for. */
export function sharedReadBuffer(): Buffer {
  shared.bytes ??= Buffer.allocUnsafeSlow(READ_SIZE);
  return shared.bytes;
}

/** A read buffer that may be part of a write when the call that delivered it has returned. */
export class ReadBuffer implements BodyLease {
  readonly size: "normal" | "large";
  readonly bytes: Buffer;
  #reading = true;
  #holds = 0;
  readonly #giveBack = (): void => {
    if (--this.#holds === 0 && !this.#reading) this.#recycle();
  };

  constructor(size: "normal" | "large") {
    this.size = size;
    this.bytes = Buffer.allocUnsafeSlow(size === "normal" ? READ_SIZE : LARGE_READ_SIZE);
  }

  /** One from the pool, to read into. */
  static take(size: "normal" | "large"): ReadBuffer {
    const buffer = free[size].pop() ?? new ReadBuffer(size);
    buffer.#reading = true;
    return buffer;
  }

  hold(): () => void {
    this.#holds++;
    return this.#giveBack;
  }

  /** Nothing is read into it any more. */
  release(): void {
    if (!this.#reading) return;
    this.#reading = false;
    if (this.#holds === 0) this.#recycle();
  }

  #recycle(): void {
    if (free[this.size].length < KEPT) free[this.size].push(this);
  }
}
