/**
 * A coder of gzip that encodes one short body after the other, in the calling thread. To make one costs as much as a short body does:
 * a quarter of a megabyte is mapped, cleared and given back, and the collector is told of it.
 *
 * Nothing of one body may show in the next, not even in its length (BREACH). On reset zlib forgets all that it may refer to, but keeps the
 * bytes in its window, and the zlib of Node looks at one beyond the end of the input when it seeks matches. So the window is filled
 * with zeros behind each body, at level 0, which only copies. What comes out is then, byte for byte, what a new coder would
 * make. The level can be changed in a raw stream only, so the frame of gzip (RFC 1952 section 2.3) is made here.
 *
 * Brotli's coders cannot begin anew, and what zstd's make depends on how many bodies they have made.
 */
import type builtin from "node:zlib";
import type { DeflateRaw } from "node:zlib";

/** Up to so many bytes are encoded at once: some tenths of a millisecond. */
export const AT_ONCE = 16_384;
/** What AT_ONCE bytes come to at worst, and more. */
const WORST = AT_ONCE + (AT_ONCE >> 3) + 1024;

/** Deflate, no name and no time, from nowhere in particular. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** The checksum and the length. */
const TRAILER = 8;

/** What drives a stream of Node without its events. Not documented: used where it looks as known. */
interface Direct {
  readonly handle: {
    writeSync(
      mode: number,
      ...buffers: [from: Buffer, fromOffset: number, fromLength: number, to: Buffer, toOffset: number, toLength: number]
    ): void;
    params(level: number, strategy: number): void;
    reset(): void;
  };
  /** Where it leaves how many bytes of the output are free, and how many of the input it did not take. */
  readonly state: Uint32Array;
}

/** Short bodies are encoded into this; what is sent is a copy. */
let scratch: Buffer | undefined;
let zeros: Buffer | undefined;

/** One coder. */
export class KeptGzip {
  readonly #zlib: typeof builtin;
  readonly #level: number;
  readonly #stream: DeflateRaw;
  readonly #direct: Direct | undefined;
  #failed = false;

  constructor(zlib: typeof builtin, level: number) {
    this.#zlib = zlib;
    this.#level = level;
    this.#stream = zlib.createDeflateRaw({ level });
    this.#direct = findDirect(this.#stream);
    this.#stream.on("error", doNothing);
  }

  /** Whether it can be driven as it must be; if not, none can in this Node. */
  get isDirect(): boolean {
    return this.#direct !== undefined;
  }

  /** Encodes a whole body of AT_ONCE bytes at most. Undefined: it cannot, and is of no use any more. */
  encode(body: Buffer): Buffer | undefined {
    const out = (scratch ??= Buffer.allocUnsafeSlow(WORST));
    const direct = this.#direct;
    // a call to a handle that is closed would end the process
    if (direct === undefined || this.#failed || this.#stream.destroyed || body.length > AT_ONCE) return undefined;
    // until it is known to have ended well
    this.#failed = true;
    const end = this.#deflate(direct, body, out);
    if (end < 0) return undefined;
    HEADER.copy(out);
    out.writeUInt32LE(this.#zlib.crc32(body), end);
    out.writeUInt32LE(body.length, end + 4);
    const encoded = Buffer.from(out.subarray(0, end + TRAILER));
    this.#failed = !this.#clean(direct, body.length, out);
    return encoded;
  }

  /** Frees its memory. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** Leaves room for the frame. Where the body ends in the output, or -1. */
  #deflate({ handle, state }: Direct, body: Buffer, out: Buffer): number {
    const room = out.length - HEADER.length - TRAILER;
    handle.writeSync(this.#zlib.constants.Z_FINISH, body, 0, body.length, out, HEADER.length, room);
    const [free = 0, unread = 0] = state;
    if (this.#stream.destroyed || free === 0 || unread > 0) return -1;
    return HEADER.length + room - free;
  }

  /** Makes it as new; false where that fails. */
  #clean(direct: Direct, used: number, out: Buffer): boolean {
    zeros ??= Buffer.alloc(AT_ONCE);
    if (!this.#restart(direct, 0)) return false;
    return this.#deflate(direct, zeros.subarray(0, used), out) >= 0 && this.#restart(direct, this.#level);
  }

  #restart({ handle }: Direct, level: number): boolean {
    handle.reset();
    if (this.#stream.destroyed) return false;
    handle.params(level, this.#zlib.constants.Z_DEFAULT_STRATEGY);
    return !this.#stream.destroyed;
  }
}

function findDirect(stream: DeflateRaw): Direct | undefined {
  const handle: unknown = Reflect.get(stream, "_handle");
  const state: unknown = Reflect.get(stream, "_writeState");
  return isHandle(handle) && state instanceof Uint32Array ? { handle, state } : undefined;
}

function isHandle(handle: unknown): handle is Direct["handle"] {
  if (typeof handle !== "object" || handle === null) return false;
  const { writeSync, params, reset } = handle as Partial<Direct["handle"]>;
  return [writeSync, params, reset].every((part) => typeof part === "function");
}

function doNothing(): void {
  // whoever encodes has seen that it is destroyed
}
