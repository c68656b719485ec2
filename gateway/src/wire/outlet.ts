/**
 * The write side of a socket: one write per message. Text and small pieces gather until flush(); a large piece goes out
 * at once together with what gathered before it, from its own memory where its lease allows.
 */
import type { Socket } from "node:net";
import type { BodyLease, SendOutcome } from "../exchange/contract.ts";
import { DirectWriter } from "./direct-write.ts";
import { TlsWriter } from "./tls-write.ts";
import { toLatin1, writeLatin1 } from "./latin1.ts";
import { READ_SIZE, ReadBuffer } from "./read-buffer.ts";

/**
 * Pieces up to this size are joined as text, which with a head in front stays below the 16 KiB that Node writes from its
 * stack: for 10 KiB a fifth cheaper than a copy in a pooled buffer.
 */
const SMALL = 12_288;
/** Gathered text beyond this goes out before the turn ends. */
const GATHERED = 16_384;

/** How sockets are read and written: `tuned` uses what Node does not document, for speed; `documented` does not. */
export type SocketWays = "tuned" | "documented";

/** Gathers and writes. */
export class Outlet {
  readonly #socket: Socket;
  readonly #direct: DirectWriter | undefined;
  readonly #tls: TlsWriter | undefined;
  #gathered = "";
  #writes = 0;
  #held = false;

  /** `onDrain`: more may be sent after "full"; may be called without it. */
  constructor(socket: Socket, ways: SocketWays, onDrain: () => void) {
    this.#socket = socket;
    const isSecure = "encrypted" in socket;
    this.#direct = ways === "tuned" && !isSecure ? DirectWriter.of(socket, onDrain) : undefined;
    this.#tls = ways === "tuned" && isSecure ? TlsWriter.of(socket, onDrain) : undefined;
    socket.on("drain", onDrain);
  }

  /** Writes nothing until release(), however much comes. */
  hold(): void {
    this.#held = true;
  }

  /** Writes what came since hold(). `taken`: more may be sent at once; otherwise onDrain will say when. */
  release(): "taken" | "full" {
    this.#held = false;
    return this.flush();
  }

  /** How often the socket was written to. */
  get writes(): number {
    return this.#writes;
  }

  /** Adds latin1 text. */
  text(text: string): void {
    this.#gathered = this.#gathered === "" ? text : this.#gathered + text;
  }

  /** Whether text waits for flush(). */
  get waiting(): boolean {
    return this.#gathered !== "";
  }

  /**
   * Whether writing must wait for "drain". A write beyond the high-water mark asks for that event even where the kernel
   * took all of it at once; then there is nothing to wait for.
   */
  get clogged(): boolean {
    const socket = this.#socket;
    return (
      (socket.writableNeedDrain && socket.writableLength > 0) ||
      this.#direct?.pending === true ||
      this.#tls?.clogged === true
    );
  }

  /** Whether the kernel has not taken all that was written; the socket says "finish" when it has, once it is ended. */
  get unsent(): boolean {
    return this.#socket.writableLength > 0 || this.#direct?.pending === true || this.#tls?.clogged === true;
  }

  /** Adds or writes bytes[from, to). */
  send(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    const length = to - from;
    if (this.#held) {
      this.text(toLatin1(bytes, from, to));
      return "full";
    }
    if (length <= SMALL) {
      this.text(toLatin1(bytes, from, to));
      return this.#gathered.length > GATHERED ? this.flush() : "taken";
    }
    if (this.#tls?.busy === true) return this.#sendBehind(this.#tls, bytes, from, to);
    if (this.#gathered === "" && lease !== undefined) return this.#sendLeased(bytes, from, to, lease);
    return this.#sendCopy(bytes, from, to);
  }

  /** As send(), as one chunk of the chunked coding. */
  sendChunk(bytes: Buffer, from: number, to: number): SendOutcome {
    if (to <= from) return "taken";
    this.text(`${(to - from).toString(16)}\r\n`);
    const outcome = this.send(bytes, from, to, undefined);
    this.text("\r\n");
    return outcome;
  }

  /** Ends the chunked coding; trailers as lines with CRLF. */
  endChunks(trailers: string): void {
    this.text(`0\r\n${trailers}\r\n`);
  }

  /** Writes what was gathered. `full`: the socket's own buffer is, wait for its drain event. */
  flush(): "taken" | "full" {
    if (this.#held) return "full";
    const text = this.#gathered;
    const socket = this.#socket;
    if (text !== "") {
      this.#gathered = "";
      this.#writes++;
      if (this.#direct?.write(text) !== true && this.#tls?.write(text) !== true) socket.write(text, "latin1");
    }
    return this.clogged ? "full" : "taken";
  }

  /** Writes what was gathered, and ends the socket behind it. */
  end(): void {
    this.flush();
    if (this.#tls?.end() !== true) this.#socket.end();
  }

  /** Forgets what was gathered. */
  discard(): void {
    this.#gathered = "";
  }

  /** While a text is on its way through TLS, the socket must not write: a piece follows it as text. */
  #sendBehind(tls: TlsWriter, bytes: Buffer, from: number, to: number): SendOutcome {
    tls.write(this.#gathered + toLatin1(bytes, from, to));
    this.#gathered = "";
    this.#writes++;
    return this.clogged ? "full" : "taken";
  }

  /** Without a copy: the read memory itself is written. */
  #sendLeased(bytes: Buffer, from: number, to: number, lease: BodyLease): SendOutcome {
    const socket = this.#socket;
    this.#writes++;
    socket.write(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), lease.hold());
    // nothing left in the socket right after write(): the kernel has it all
    if (socket.writableLength === 0) return "taken";
    // "full" promises that the lease is back when onDrain is called: so it must wait for the socket's own drain event
    return socket.writableNeedDrain ? "full" : "held";
  }

  #sendCopy(bytes: Buffer, from: number, to: number): SendOutcome {
    const head = this.#gathered;
    const socket = this.#socket;
    const length = head.length + to - from;
    this.#gathered = "";
    this.#writes++;
    if (length > READ_SIZE) {
      const copy = Buffer.allocUnsafeSlow(length);
      writeLatin1(copy, head, 0);
      bytes.copy(copy, head.length, from, to);
      socket.write(copy);
    } else {
      const pooled = ReadBuffer.take("normal");
      writeLatin1(pooled.bytes, head, 0);
      bytes.copy(pooled.bytes, head.length, from, to);
      socket.write(pooled.bytes.subarray(0, length), pooled.hold());
      pooled.release();
    }
    return this.clogged ? "full" : "taken";
  }
}
