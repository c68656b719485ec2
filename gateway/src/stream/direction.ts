/** One direction of a passed-on connection: what one socket reads, another writes, no faster than it can. */
import type { Socket } from "node:net";
import type { BodyLease, SendOutcome } from "../exchange/contract.ts";
import type { ByteReader, Inlet } from "../wire/inlet.ts";
import { Outlet, type SocketWays } from "../wire/outlet.ts";

/** What a direction tells the connection it belongs to. */
export interface DirectionOwner {
  /** Bytes were read or written. */
  onPassed(): void;
  /** Something was thrown, which is a bug of ours. */
  onBug(error: unknown): void;
}

/** Reads from an inlet and, once it is open, writes to a socket. */
export class Direction implements ByteReader {
  /** Bytes read. */
  bytes = 0;
  /** Whoever sends has sent its FIN. */
  ended = false;
  readonly #owner: DirectionOwner;
  #inlet: Inlet | undefined = undefined;
  #socket: Socket | undefined = undefined;
  #outlet: Outlet | undefined = undefined;
  /** What goes out first: read before there was somewhere to write to. */
  #head: Buffer | undefined = undefined;

  constructor(owner: DirectionOwner) {
    this.#owner = owner;
  }

  /** Takes what is read here, from now on. Nothing is read before there is somewhere to write to. */
  from(inlet: Inlet): void {
    this.#inlet = inlet;
    inlet.deliverTo(this);
    if (this.#outlet === undefined) inlet.pause();
  }

  /** Bytes that were read from the same side before. */
  prepend(head: Buffer): void {
    this.bytes += head.length;
    this.#hold(head);
  }

  /** Opens it: writes what was held back, and begins to read. */
  open(socket: Socket, ways: SocketWays): void {
    const outlet = new Outlet(socket, ways, () => this.#onDrain());
    this.#socket = socket;
    this.#outlet = outlet;
    const head = this.#head;
    this.#head = undefined;
    if (head !== undefined) outlet.send(head, 0, head.length, undefined);
    const full = outlet.flush() === "full";
    if (this.ended) socket.end();
    else if (!full) this.#inlet?.resume();
  }

  /** Bytes wait for the socket. */
  get clogged(): boolean {
    return this.#outlet?.clogged === true;
  }

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    this.bytes += to - from;
    try {
      if (this.#outlet === undefined) this.#holdCopy(bytes, from, to);
      else {
        const sent = this.#outlet.send(bytes, from, to, lease);
        this.#inlet?.settle(lease, sent, to - from);
        this.#endTurn(this.#outlet, sent, to === bytes.length);
      }
      this.#owner.onPassed();
    } catch (error) {
      this.#owner.onBug(error);
    }
  }

  /** The FIN of whoever sends: passed on behind the last byte. */
  end(): void {
    this.ended = true;
    this.#outlet?.flush();
    this.#socket?.end();
  }

  #endTurn(outlet: Outlet, sent: SendOutcome, filled: boolean): void {
    const inlet = this.#inlet;
    // memory of its own only while reads fill it: whoever falls silent must not keep any
    if (filled) inlet?.widen();
    else inlet?.narrow();
    const flushed = outlet.flush();
    if (sent === "full" || flushed === "full") inlet?.pause();
  }

  #onDrain(): void {
    if (this.#outlet?.clogged !== false) return;
    this.#owner.onPassed();
    this.#inlet?.resume();
  }

  /** One read at most comes before the pause is heeded. */
  #holdCopy(bytes: Buffer, from: number, to: number): void {
    this.#hold(Buffer.from(bytes.subarray(from, to)));
    this.#inlet?.pause();
  }

  #hold(bytes: Buffer): void {
    this.#head = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes]);
  }
}
