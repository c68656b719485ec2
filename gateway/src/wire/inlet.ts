/**
 * The read side of a socket. Reads go to the shared buffer; while a large body passes, to a buffer of its own that the
 * other side may write from. The choice is made between two reads.
 */
import type { Socket } from "node:net";
import type { BodyLease, SendOutcome } from "../exchange/contract.ts";
import { READ_SIZE, ReadBuffer, sharedReadBuffer } from "./read-buffer.ts";

/** Takes what was read: bytes[from, to), valid during the call unless the lease is held. */
export interface ByteReader {
  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void;
}

/** What `net.Socket` takes as `onread`. */
export interface OnRead {
  /** The memory of the next read; undefined once reading has begun: the same as before, which saves Node looking at it. */
  readonly buffer: () => Buffer | undefined;
  callback(count: number, bytes: Buffer): boolean;
}

/** Memory of its own, which nothing else will be read into. */
const OWNED: BodyLease = { hold: () => doNothing };

/** Reads from one socket. */
export class Inlet {
  #reader: ByteReader | undefined = undefined;
  #socket: Socket | undefined = undefined;
  /** What the socket reads into now; undefined: the shared buffer. Changes between two reads only. */
  #own: ReadBuffer | undefined = undefined;
  #wanted: "shared" | "normal" | "large" = "shared";
  /** The buffer is in a write: the next read needs another one. */
  #spent = false;
  /** What the socket was told to read into last, once it has read. */
  #told: Buffer | undefined = undefined;
  #paused = false;
  #delivering = false;

  /** Whom to give what is read; set before the first read. */
  deliverTo(reader: ByteReader): void {
    this.#reader = reader;
  }

  /** For a socket that can read into given memory. */
  get onread(): OnRead {
    return {
      buffer: () => this.#choose(),
      callback: (count, bytes) => this.#deliver(bytes, count),
    };
  }

  /** Binds to the socket that was made with `onread`. */
  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Binds to a socket that allocates for every read: the documented way for accepted sockets, and the slower one. */
  attachData(socket: Socket): void {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#delivering = true;
      this.#reader?.onBytes(bytes, 0, bytes.length, OWNED);
      this.#delivering = false;
      if (this.#paused) socket.pause();
    });
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    // inside a callback its return value stops the reading
    if (!this.#delivering) this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#delivering) this.#socket?.resume();
  }

  /** A large body is coming: read it into memory that can be written from. */
  widen(): void {
    if (this.#wanted === "shared") this.#wanted = "normal";
  }

  /** Back to the shared buffer. */
  narrow(): void {
    this.#wanted = "shared";
  }

  /** The socket is closed: nothing will be read any more. */
  close(): void {
    this.#own?.release();
    this.#own = undefined;
    this.#wanted = "shared";
  }

  /** What became of a piece of so many bytes that was read into own memory: decides what to read into next. */
  settle(lease: BodyLease | undefined, outcome: SendOutcome, length: number): void {
    if (lease === undefined || lease !== this.#own) return;
    // after "full" the bytes are given back before reading goes on
    if (outcome === "held") this.#spent = true;
    // grown only after a whole buffer went out at once, so slow readers never hold a large one
    else if (outcome === "taken" && length === READ_SIZE) this.#wanted = "large";
  }

  /** Between two reads: the memory of the next one. */
  #choose(): Buffer | undefined {
    const own = this.#own;
    const wanted = this.#wanted;
    if (own !== undefined && (this.#spent || own.size !== wanted)) {
      own.release();
      this.#own = undefined;
    }
    this.#spent = false;
    if (wanted !== "shared") this.#own ??= ReadBuffer.take(wanted);
    const bytes = this.#own?.bytes ?? sharedReadBuffer();
    if (bytes === this.#told) return undefined;
    if (this.#told !== undefined) this.#told = bytes;
    return bytes;
  }

  #deliver(bytes: Buffer, count: number): boolean {
    const own = this.#own;
    this.#told ??= bytes;
    this.#delivering = true;
    this.#reader?.onBytes(bytes, 0, count, own !== undefined && own.bytes === bytes ? own : undefined);
    this.#delivering = false;
    return !this.#paused;
  }
}

function doNothing(): void {
  // nothing to give back
}
