/**
 * The write side of an HTTP/2 connection: frames of one turn of the event loop gather and leave in one write, and there is at
 * most one write at a time (what comes meanwhile gathers on). Little gathers as text; much in pooled buffers, which only
 * connections that are sending have.
 *
 * One list holds the connections with something to send, for all of a thread: one setImmediate serves them.
 */
import type { Socket } from "node:net";
import { GatheredWriter } from "../wire/gathered-write.ts";
import { writeLatin1 } from "../wire/latin1.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { HEADER_SIZE } from "./frames.ts";

/** Bytes of a buffer: seven full DATA frames would waste less of larger ones, but these are written in one go. */
const BUFFER_SIZE = 65_536;
/** Text longer than this moves to a buffer: Node writes shorter ones from its stack. */
const TEXT_LIMIT = 12_288;
/** With so much gathered no DATA is added before some of it is written. */
const ROOM = 65_536;
/** With so much gathered nothing more should be read that could ask for answers. */
const FLOODED = 262_144;
/** With so much gathered the peer is taken for one that reads nothing any more. */
const STUFFED = 4_194_304;
/** Buffers kept for reuse. */
const KEPT = 32;

const free: Buffer[] = [];
const dirty: FrameOutput[] = [];
const schedule = { pending: false };

/** Gathers frames and writes them. */
export class FrameOutput {
  readonly #socket: Socket;
  readonly #writer: GatheredWriter;
  readonly #onRoom: () => void;
  #text = "";
  /** Full buffers in front of the current one. */
  #full: Buffer[] | undefined = undefined;
  #buffer: Buffer | undefined = undefined;
  #length = 0;
  #queued = 0;
  #inWrite: Buffer | undefined = undefined;
  #dirty = false;
  #held = false;
  #ends = false;
  #ended = false;

  /** `onRoom`: something was written, so there may be room for more. */
  constructor(socket: Socket, ways: SocketWays, onRoom: () => void) {
    this.#socket = socket;
    this.#onRoom = onRoom;
    this.#writer = new GatheredWriter(socket, ways, () => this.#onWritten());
  }

  /** More DATA may be added. */
  get hasRoom(): boolean {
    return this.#queued < ROOM && !this.#ends;
  }

  /** The peer does not read what it asked for: nothing more should be read from it. */
  get flooded(): boolean {
    return this.#queued >= FLOODED;
  }

  /** Nothing should be added that can do without: streams that begin and are reset at once leave their frames behind. */
  get stuffed(): boolean {
    return this.#queued >= STUFFED;
  }

  /** Writes nothing until release(), however much comes. */
  hold(): void {
    this.#held = true;
  }

  /** Undoes hold(). */
  release(): void {
    this.#held = false;
    if (this.#queued > 0) this.#mark();
  }

  /** Adds frames as latin1 text. */
  text(frames: string): void {
    if (this.#ends || this.#socket.destroyed) return;
    this.#queued += frames.length;
    if (this.#buffer === undefined && this.#text.length + frames.length <= TEXT_LIMIT) this.#text += frames;
    else this.#write(frames);
    this.#mark();
  }

  /** Adds a frame: its header as text, and its payload bytes[from, to), at most MAX_DATA. */
  bytes(header: string, bytes: Buffer, from: number, to: number): void {
    if (this.#ends || this.#socket.destroyed) return;
    const buffer = this.#reserve(HEADER_SIZE + to - from);
    writeLatin1(buffer, header, this.#length);
    bytes.copy(buffer, this.#length + HEADER_SIZE, from, to);
    this.#length += HEADER_SIZE + to - from;
    this.#queued += HEADER_SIZE + to - from;
    this.#mark();
  }

  /** FIN behind the last frame; frames that come later are dropped. */
  end(): void {
    if (this.#ends) return;
    this.#ends = true;
    this.#mark();
  }

  /** Drops what was gathered and not written. */
  discard(): void {
    this.#text = "";
    this.#queued = 0;
    for (const buffer of this.#full ?? []) giveBack(buffer);
    this.#full = undefined;
    if (this.#buffer !== undefined) giveBack(this.#buffer);
    this.#buffer = undefined;
    this.#length = 0;
  }

  /** Writes what was gathered, as far as one write at a time allows. */
  flush(): void {
    while (!this.#held && !this.#writer.busy && !this.#socket.destroyed && this.#writeNext());
  }

  /** One write. False: there is nothing to write. */
  #writeNext(): boolean {
    const full = this.#full?.shift();
    if (full !== undefined) this.#writeBuffer(full, full.length);
    else if (this.#buffer !== undefined) {
      const buffer = this.#buffer;
      this.#buffer = undefined;
      this.#writeBuffer(buffer, this.#length);
    } else if (this.#text !== "") {
      const text = this.#text;
      this.#text = "";
      this.#queued -= text.length;
      this.#writer.writeText(text);
      if (!this.#writer.busy) this.#onRoom();
    } else {
      this.#finish();
      return false;
    }
    return true;
  }

  #writeBuffer(buffer: Buffer, length: number): void {
    this.#queued -= length;
    this.#inWrite = buffer;
    this.#writer.writeBytes(length === BUFFER_SIZE ? buffer : buffer.subarray(0, length));
    if (this.#writer.busy) return;
    this.#recycle();
    this.#onRoom();
  }

  #onWritten(): void {
    this.#recycle();
    this.flush();
    if (!this.#socket.destroyed) this.#onRoom();
  }

  #recycle(): void {
    const buffer = this.#inWrite;
    this.#inWrite = undefined;
    if (buffer !== undefined) giveBack(buffer);
  }

  #finish(): void {
    if (!this.#ends || this.#ended) return;
    this.#ended = true;
    this.#socket.end();
  }

  /** Adds text behind what is in buffers, or takes the gathered text into one. */
  #write(frames: string): void {
    for (let at = 0; at < frames.length; at += TEXT_LIMIT) {
      const part = frames.length <= TEXT_LIMIT ? frames : frames.slice(at, at + TEXT_LIMIT);
      const buffer = this.#reserve(part.length);
      writeLatin1(buffer, part, this.#length);
      this.#length += part.length;
    }
  }

  /** The current buffer, with room for so many bytes. */
  #reserve(count: number): Buffer {
    let buffer = this.#buffer;
    if (buffer !== undefined && this.#length + count > buffer.length) {
      this.#full ??= [];
      this.#full.push(this.#length === buffer.length ? buffer : buffer.subarray(0, this.#length));
      buffer = undefined;
    }
    if (buffer !== undefined) return buffer;
    buffer = this.#buffer = free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
    this.#length = 0;
    if (this.#text !== "") {
      writeLatin1(buffer, this.#text, 0);
      this.#length = this.#text.length;
      this.#text = "";
    }
    return buffer;
  }

  #mark(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    dirty.push(this);
    if (schedule.pending) return;
    schedule.pending = true;
    setImmediate(flushAll);
  }

  /** Its turn in the list of what is to be sent. */
  static #flushOne(output: FrameOutput): void {
    output.#dirty = false;
    output.flush();
  }

  /** All that is to be sent by this thread. */
  static flushDirty(): void {
    for (let i = 0; i < dirty.length; i++) {
      const output = dirty[i];
      if (output !== undefined) FrameOutput.#flushOne(output);
    }
    dirty.length = 0;
    schedule.pending = false;
  }
}

function flushAll(): void {
  FrameOutput.flushDirty();
}

/** A buffer, or the used part of one, is in no write any more. */
function giveBack(buffer: Buffer): void {
  if (free.length >= KEPT) return;
  free.push(buffer.length === BUFFER_SIZE ? buffer : Buffer.from(buffer.buffer, 0, BUFFER_SIZE));
}
