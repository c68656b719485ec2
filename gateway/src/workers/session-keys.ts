/**
 * The keys that TLS session tickets are made with, in shared memory, so that a session that one worker began is resumed by any.
 * The supervisor makes new ones now and then (RFC 5077 section 5.5): whoever learns them can read the traffic of sessions that
 * were resumed with them.
 */
import { randomBytes } from "node:crypto";
import type { SessionKeys } from "../listener/session-keys.ts";

/** Bytes of keys: what TLS needs for name, HMAC and cipher. */
const SIZE = 48;
const VERSION = 0;
/** Words in front of the keys. */
const HEADER = 1;

/**
 * A view of the keys; every thread has its own over the same buffer. The version is odd while the supervisor writes: whoever
 * reads then, or sees the version move meanwhile, stays with the keys he has.
 */
export class SharedSessionKeys implements SessionKeys {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #copy = new Uint8Array(SIZE);
  readonly #current = { version: -1, bytes: this.#copy };

  /** Without a buffer: a new one, with new keys in it. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(HEADER * Int32Array.BYTES_PER_ELEMENT + SIZE);
    this.#words = new Int32Array(this.buffer);
    if (buffer === undefined) this.rotate();
  }

  /** Makes new keys. By the supervisor alone. */
  rotate(): void {
    const words = this.#words;
    const keys = new Int32Array(new Uint8Array(randomBytes(SIZE)).buffer);
    Atomics.add(words, VERSION, 1);
    for (const [at, word] of keys.entries()) Atomics.store(words, HEADER + at, word);
    Atomics.add(words, VERSION, 1);
  }

  read(): { readonly version: number; readonly bytes: Uint8Array } {
    const words = this.#words;
    const current = this.#current;
    const version = Atomics.load(words, VERSION);
    if (version === current.version || version % 2 !== 0) return current;
    const copy = new Int32Array(SIZE / Int32Array.BYTES_PER_ELEMENT);
    for (let at = 0; at < copy.length; at++) copy[at] = Atomics.load(words, HEADER + at);
    if (Atomics.load(words, VERSION) !== version) return current;
    this.#copy.set(new Uint8Array(copy.buffer));
    current.version = version;
    return current;
  }
}
