/**
 * One stream of an HTTP/2 connection, as both roles need it: the windows, what waits in either direction, and the ends. What
 * heads mean, and whom a body is for, is the role's.
 *
 * Bytes that come before somebody takes them wait here, bounded by the window. Of what is to be sent the connection takes
 * what windows and output allow; the rest of a piece (the lease is held, else a copy) waits here, and "full" is said.
 */
import type { BodyLease, BodyMode, BodySink, BodySource, SendOutcome } from "../exchange/contract.ts";
import { Timed } from "../time/wheel.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { Stash } from "../wire/stash.ts";
import type { Http2Connection } from "./connection.ts";
import type { BlockFacts } from "./frame-reader.ts";
import type { ErrorCode } from "./frames.ts";
import { DEFAULT_PRIORITY, type Priority } from "./priority.ts";
import { joinUnsent, OWNED, toUnsent, type Unsent } from "./unsent.ts";

/** Pieces up to this size wait for the end of the turn, or of the body: END_STREAM then goes with the last. */
const TAIL = 4096;

/** A stream. Objects may be used again: `begin` makes it as new. */
export abstract class Http2Stream<Owner extends Http2Connection = Http2Connection>
  extends Timed
  implements BodySource, BodySink
{
  readonly offersRaw = false;
  readonly takesRaw = false;
  id = 0;
  /** It has left its connection: nothing is sent or received any more. */
  gone = true;
  /** END_STREAM was sent, or received. */
  localClosed = false;
  remoteClosed = false;
  sendWindow = 0;
  receiveWindow = 0;
  /** Bytes used that the peer has not been told of. */
  credit = 0;
  /** Content received, and what it must come to; -1: not announced. */
  received = 0;
  expected = -1;
  bodyBytes = 0;
  priority: Priority = DEFAULT_PRIORITY;
  /** Places in the connection's order of sending. */
  nextToSend: Http2Stream | undefined = undefined;
  previousToSend: Http2Stream | undefined = undefined;
  queuedAt = 0;
  /** It is in the connection's list of streams to flush at the end of the turn. */
  touched = false;
  /** Nobody wants what the peer sends any more. */
  protected ignores = false;
  protected owner: Owner;
  #taken = false;
  #paused = false;
  #waiting: Stash | undefined = undefined;
  /** The peer's end came and was not delivered yet. */
  #endWaits = false;
  #endTrailers = "";
  /** Small pieces as latin1 text, not framed yet. */
  #tail = "";
  #rest: Unsent | undefined = undefined;
  #ends = false;
  #trailers = "";

  constructor(owner: Owner) {
    super();
    this.owner = owner;
  }

  /** Takes a piece of the body; valid during the call, or while the lease is held. */
  protected abstract onPiece(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome;
  /** The peer's body is complete and was delivered. */
  protected abstract onEnd(trailers: string): void;
  /** More may be sent after "full". */
  protected abstract onDrain(): void;
  /** The turn in which pieces were delivered ends: flush what was gathered of them. */
  abstract onTurn(): "taken" | "full";
  /** A further header block of this stream: an answer, trailers. It must be decoded whatever else is wrong with it. */
  abstract onBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void;
  /** The peer has reset it; it is gone. */
  abstract onReset(code: number): void;
  /** We had to reset it for what the peer did; it is gone. */
  abstract onFault(code: ErrorCode, detail: string): void;
  /** The connection is gone or failed, and this with it. */
  abstract onConnectionLost(): void;
  /** Both ends are closed: it has left its connection in good order. */
  abstract onComplete(): void;
  /** END_STREAM was sent while the peer's half is open. */
  abstract onHalfClosed(): void;

  /** Makes it a stream of its connection. */
  protected begin(id: number, sendWindow: number, receiveWindow: number): void {
    this.id = id;
    this.gone = false;
    this.localClosed = this.remoteClosed = false;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.credit = this.received = this.bodyBytes = 0;
    this.expected = -1;
    this.priority = DEFAULT_PRIORITY;
    this.touched = false;
    this.#taken = this.#paused = this.ignores = this.#endWaits = this.#ends = false;
    this.#endTrailers = this.#tail = this.#trailers = "";
  }

  /** Nobody but the peer holds the body up. */
  get owed(): boolean {
    return !this.remoteClosed && this.#taken && !this.#paused;
  }

  /** Something waits to be sent. */
  get hasRest(): boolean {
    return this.#rest !== undefined;
  }

  takeBody(_mode: BodyMode): void {
    this.#taken = true;
    this.#paused = false;
    // a head that went on must not wait for a body, which may wait for an answer to it (Expect)
    this.owner.touch(this);
    this.#deliver();
  }

  pauseBody(): void {
    this.#paused = true;
  }

  resumeBody(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** What comes from now on is another body: a tunnel's. Somebody must take it. */
  protected beginTunnel(): void {
    this.#taken = false;
    this.bodyBytes = 0;
  }

  sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    if (this.gone || this.localClosed || to <= from) return "taken";
    if (this.#rest !== undefined) return this.#keepMore(bytes, from, to);
    const tail = this.#tail;
    if (to - from <= TAIL && tail.length + to - from <= TAIL && this.owner.canSend(this, tail.length + to - from)) {
      this.#tail = tail === "" ? toLatin1(bytes, from, to) : tail + toLatin1(bytes, from, to);
      return "taken";
    }
    this.#sendTail();
    if (this.#rest !== undefined) return this.#keepMore(bytes, from, to);
    const at = this.owner.sendData(this, bytes, from, to);
    if (at === to) return "taken";
    this.#keep(bytes, at, to, lease);
    return "full";
  }

  endBody(trailers: string): void {
    if (this.gone || this.localClosed || this.#ends) return;
    if (this.#tail !== "") {
      if (trailers === "" && this.owner.canSend(this, this.#tail.length)) {
        const tail = this.#tail;
        this.#tail = "";
        this.owner.sendText(this, tail, true);
        return;
      }
      this.#sendTail();
    }
    this.#ends = this.#rest !== undefined;
    if (this.#ends) this.#trailers = trailers;
    else this.owner.sendEnd(this, trailers);
  }

  flush(): "taken" | "full" {
    if (this.#tail !== "" && !this.gone) this.#sendTail();
    return this.#rest === undefined ? "taken" : "full";
  }

  /** By the connection: content came. */
  receive(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    if (!this.#taken || this.#paused || this.#waiting !== undefined) {
      this.#waiting ??= new Stash();
      this.#waiting.append(bytes, from, to);
      this.owner.waits(to - from);
      return "taken";
    }
    return this.#pass(bytes, from, to, lease);
  }

  /** By the connection, or by the role for trailers: the peer's half is closed. */
  receiveEnd(trailers: string): void {
    this.remoteClosed = true;
    this.#endWaits = !this.ignores;
    this.#endTrailers = trailers;
    this.#deliver();
  }

  /** Leaves its connection once both halves are closed and all that came was delivered. */
  settleEnds(): void {
    if (this.localClosed && this.remoteClosed && !this.#endWaits && !this.gone) this.owner.complete(this);
  }

  /** Forgets what came and was not delivered. */
  protected dropWaiting(): void {
    const count = this.#waiting?.length ?? 0;
    this.#waiting = undefined;
    this.#endWaits = false;
    this.owner.waitsNoMore(count);
    if (count > 0) this.owner.giveBack(this, count);
  }

  /** Nobody wants what the peer sends any more: neither that nor its end is delivered. */
  protected ignoreBody(): void {
    this.ignores = true;
    this.dropWaiting();
    this.settleEnds();
  }

  /** By the connection, which has a window for so much: frames of what waits. Returns whether something is left. */
  sendRest(most: number): boolean {
    const rest = this.#rest;
    if (rest === undefined) return false;
    const to = Math.min(rest.to, rest.from + most);
    const whole = to === rest.to;
    const last = whole && this.#ends && this.#trailers === "";
    this.owner.sendFrame(this, { bytes: rest.bytes, from: rest.from, to }, last);
    rest.from = to;
    if (!whole) return true;
    this.#rest = undefined;
    rest.release();
    if (last) this.owner.sentEnd(this);
    else if (this.#ends) this.owner.sendEnd(this, this.#trailers);
    return false;
  }

  /** By the connection: what waited is sent. */
  drained(): void {
    if (!this.gone && !this.localClosed) this.onDrain();
  }

  /** By the connection: it is out of it. Lets go of what waits. */
  leave(): void {
    this.gone = true;
    this.#tail = "";
    this.#ends = false;
    const rest = this.#rest;
    this.#rest = undefined;
    rest?.release();
    // what came whole can still be delivered
    if (!this.#endWaits) this.dropWaiting();
  }

  #pass(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    this.bodyBytes += to - from;
    this.owner.touch(this);
    const outcome = this.onPiece(bytes, from, to, lease);
    if (outcome === "full") this.#paused = true;
    this.owner.giveBack(this, to - from);
    return outcome;
  }

  /** Delivers what waits, and the end behind it. */
  #deliver(): void {
    const outermost = this.owner.enterTurn();
    this.#deliverAll();
    this.settleEnds();
    if (outermost) this.owner.leaveTurn();
  }

  #deliverAll(): void {
    const waiting = this.#waiting;
    const bytes = waiting?.bytes;
    if (waiting !== undefined && bytes !== undefined && this.#taken && !this.#paused) {
      const { from, to } = waiting;
      this.#waiting = undefined;
      this.owner.waitsNoMore(to - from);
      this.#pass(bytes, from, to, OWNED);
    }
    if (!this.#endWaits || !this.#taken || this.#paused || this.#waiting !== undefined) return;
    this.#endWaits = false;
    // the end may come in a turn of its own, and must go on in it
    this.owner.touch(this);
    this.onEnd(this.#endTrailers);
  }

  #sendTail(): void {
    const tail = this.#tail;
    if (tail === "") return;
    this.#tail = "";
    if (this.owner.canSend(this, tail.length)) this.owner.sendText(this, tail, false);
    else this.#keep(Buffer.from(tail, "latin1"), 0, tail.length, OWNED);
  }

  #keep(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    this.#rest = toUnsent(bytes, from, to, lease);
    this.owner.queue(this);
  }

  /** Nobody should send after "full", but a piece is never refused. */
  #keepMore(bytes: Buffer, from: number, to: number): SendOutcome {
    if (this.#rest !== undefined) this.#rest = joinUnsent(this.#rest, bytes.subarray(from, to));
    return "full";
  }
}
