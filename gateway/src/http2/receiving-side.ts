/**
 * The receiving side of an HTTP/2 connection: its streams, what they receive within our windows (RFC 9113 section 6.9), and how they
 * end. What is received is given back to the peer when it was used, in large steps.
 */
import type { Socket } from "node:net";
import type { BodyLease } from "../exchange/contract.ts";
import type { Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { AbuseBudget, Price } from "./abuse-budget.ts";
import { ClosedStreams, type ClosedBy } from "./closed-streams.ts";
import { ErrorCode, frameHeader, FrameType, INITIAL_WINDOW, word } from "./frames.ts";
import { HpackDecoder, type FieldClassifier, type FieldSink } from "./hpack/decoder.ts";
import { SendingSide } from "./sending-side.ts";
import type { Http2Stream } from "./stream.ts";
import { ALLOWANCE } from "./waiting-allowance.ts";

/** Bytes of the table we let the peer use. */
const TABLE_SIZE = 4096;

/** What a connection is made of. */
export interface Http2Transport {
  readonly socket: Socket;
  readonly inlet: Inlet;
  readonly ways: SocketWays;
}

/** Limits and habits of a connection. */
export interface Http2Options {
  readonly role: "server" | "client";
  /** Streams the peer may open. */
  readonly maxConcurrentStreams: number;
  /** Bytes the peer may send of one stream, and of all, beyond what was used. */
  readonly streamWindow: number;
  readonly connectionWindow: number;
  /** Bytes of a decoded header list as RFC 9113 section 6.5.2 counts them; told, and enforced by the role. */
  readonly maxHeaderListSize: number;
  readonly abuseBudget: number;
  /** Says once what a field is: the `role` of an HPACK entry. One function for all connections: decoders share by it. */
  readonly classify: FieldClassifier;
  /** Milliseconds, monotonic. */
  now(): number;
}

/** What receives. */
export abstract class ReceivingSide extends SendingSide {
  readonly streams = new Map<number, Http2Stream>();
  /** Our SETTINGS are in force at the peer. */
  acknowledged = false;
  /** The highest id of a stream (of the client's making: there are no others). */
  lastId = 0;
  /** The peer reads what it asked for. */
  protected reading = true;
  protected readonly socket: Socket;
  protected readonly inlet: Inlet;
  protected readonly options: Http2Options;
  protected readonly budget: AbuseBudget;
  protected readonly closedStreams = new ClosedStreams();
  /** Of the bytes that are being read. */
  protected lease: BodyLease | undefined = undefined;
  readonly #decoder: HpackDecoder;
  readonly #touched: Http2Stream[] = [];
  #receiveWindow: number;
  #credit = 0;
  /** Bytes that wait in streams and were given back to the window of the connection all the same. */
  #advanced = 0;
  /** A turn has begun and not ended. */
  inTurn = false;
  /** The DATA frame that is being read, and whose it is; undefined: it is ignored. */
  #dataStream: Http2Stream | undefined = undefined;
  #dataEnds = false;
  /** Nothing but padding has come of it. */
  #dataBare = false;

  constructor(transport: Http2Transport, options: Http2Options) {
    super(transport.socket, transport.ways);
    this.socket = transport.socket;
    this.inlet = transport.inlet;
    this.options = options;
    this.budget = new AbuseBudget(options.abuseBudget, () => options.now());
    this.#decoder = new HpackDecoder({ maxTableSize: TABLE_SIZE, classify: options.classify });
    this.#receiveWindow = Math.max(INITIAL_WINDOW, options.connectionWindow);
  }

  /** The connection cannot go on: GOAWAY, then FIN; what comes is ignored. */
  abstract fail(code: ErrorCode, detail: string): void;
  /** Spends of the budget; ends the connection where it is used up. */
  abstract spend(price: number): void;
  /** A stream has left; called before the stream is told. */
  protected abstract onStreamGone(stream: Http2Stream): void;
  /** A turn of reading or sending ends. */
  protected abstract onTurnEnd(): void;

  /** Begins a turn: streams that are touched in it are flushed at its end. False where it has begun. */
  enterTurn(): boolean {
    if (this.inTurn) return false;
    this.inTurn = true;
    return true;
  }

  /** Ends what enterTurn() began. */
  leaveTurn(): void {
    const touched = this.#touched;
    for (let i = 0; i < touched.length; i++) this.#flushTouched(touched[i]);
    if (touched.length > 0) touched.length = 0;
    this.inTurn = false;
    if (!this.ended && this.reading && this.output.flooded) {
      this.reading = false;
      this.inlet.pause();
    }
    this.onTurnEnd();
  }

  /** A stream got something in this turn. */
  touch(stream: Http2Stream): void {
    if (stream.touched) return;
    stream.touched = true;
    this.#touched.push(stream);
  }

  /** Decodes a header block. False: the connection has failed. */
  decode(bytes: Buffer, from: number, to: number, sink: FieldSink): boolean {
    if (this.#decoder.decode(bytes, from, to, sink)) return true;
    this.fail(ErrorCode.COMPRESSION_ERROR, "a header block that cannot be decoded");
    return false;
  }

  onDataBegin(id: number, length: number, endStream: boolean): void {
    const stream = this.streams.get(id);
    this.#dataStream = undefined;
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) this.fail(ErrorCode.FLOW_CONTROL_ERROR, "more DATA than the connection's window");
    else if (stream === undefined) this.#onStrayData(id);
    else if (stream.remoteClosed) this.resetFor(stream, ErrorCode.STREAM_CLOSED, "DATA behind END_STREAM");
    else {
      stream.receiveWindow -= length;
      if (stream.receiveWindow < 0) this.resetFor(stream, ErrorCode.FLOW_CONTROL_ERROR, "more DATA than its window");
      else this.#dataStream = stream;
    }
    this.#dataEnds = endStream;
    this.#dataBare = length > 0 && !endStream;
    if (length === 0 && !endStream) this.spend(Price.frame);
  }

  onDataPiece(bytes: Buffer, from: number, to: number): void {
    this.#dataBare = false;
    const stream = this.#dataStream;
    const count = to - from;
    if (stream === undefined) {
      this.giveBackWhole(count);
      return;
    }
    stream.received += count;
    if (stream.expected >= 0 && stream.received > stream.expected) {
      this.giveBackWhole(count);
      this.resetFor(stream, ErrorCode.PROTOCOL_ERROR, "more DATA than content-length");
      return;
    }
    const lease = this.lease;
    const outcome = stream.receive(bytes, from, to, lease);
    // reading goes on for other streams: what is held must not be read into again
    this.inlet.settle(lease, outcome === "full" ? "held" : outcome, count);
  }

  onDataPadding(count: number): void {
    const stream = this.#dataStream;
    if (stream === undefined) this.giveBackWhole(count);
    else this.giveBack(stream, count);
  }

  onDataEnd(): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (this.#dataBare) this.spend(Price.frame);
    if (stream !== undefined && this.#dataEnds) this.endReceived(stream, "");
  }

  /** The peer's half of a stream is complete, with these trailers, if its length is as it was announced. */
  endReceived(stream: Http2Stream, trailers: string): void {
    if (stream.expected >= 0 && stream.received !== stream.expected)
      this.resetFor(stream, ErrorCode.PROTOCOL_ERROR, "less DATA than content-length");
    else stream.receiveEnd(trailers);
  }

  /** All streams are gone, and are told. */
  loseStreams(): void {
    const streams = [...this.streams.values()];
    for (const stream of streams) this.remove(stream, "peer");
    for (const stream of streams) stream.onConnectionLost();
  }

  /** Resets a stream for a reason of ours; nothing is called on it any more. */
  reset(stream: Http2Stream, code: ErrorCode): void {
    if (stream.gone) return;
    this.#sendReset(stream.id, code);
    this.remove(stream, "us");
  }

  /** Resets a stream for what the peer did. */
  resetFor(stream: Http2Stream, code: ErrorCode, detail: string): void {
    if (stream.gone) return;
    this.reset(stream, code);
    stream.onFault(code, detail);
    this.spend(Price.reset);
  }

  /** Resets a stream that never came to be. */
  refuse(id: number, code: ErrorCode, price: number): void {
    this.#sendReset(id, code);
    this.closedStreams.add(id, "us");
    this.spend(price);
  }

  /** Both halves are closed. */
  complete(stream: Http2Stream): void {
    this.remove(stream, "peer");
    stream.onComplete();
  }

  /** So much of what a stream received is used: the peer may send as much more. Told in large steps. */
  giveBack(stream: Http2Stream, count: number): void {
    this.giveBackWhole(count);
    if (stream.gone || stream.remoteClosed || this.ended) return;
    stream.credit += count;
    if (stream.credit * 2 < this.options.streamWindow) return;
    this.#sendUpdate(stream.id, stream.credit);
    stream.receiveWindow += stream.credit;
    stream.credit = 0;
  }

  /** What a new stream may receive: what the peer knew of when it opened it. */
  get initialReceiveWindow(): number {
    const { streamWindow } = this.options;
    return this.acknowledged ? streamWindow : Math.max(streamWindow, INITIAL_WINDOW);
  }

  #flushTouched(stream: Http2Stream | undefined): void {
    if (stream === undefined) return;
    stream.touched = false;
    if (!stream.gone && stream.onTurn() === "full") stream.pauseBody();
  }

  /** DATA for a stream that is not open (RFC 9113 section 5.1). */
  #onStrayData(id: number): void {
    if (this.isIdle(id)) this.fail(ErrorCode.PROTOCOL_ERROR, `DATA on idle stream ${id}`);
    else if (this.closedStreams.by(id) === "peer") this.fail(ErrorCode.STREAM_CLOSED, `DATA on closed stream ${id}`);
  }

  /** Whether no stream of this id was ever opened. */
  protected isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0;
  }

  #sendReset(id: number, code: ErrorCode): void {
    this.output.text(frameHeader(4, FrameType.RST_STREAM, 0, id) + word(code));
  }

  #sendUpdate(id: number, count: number): void {
    this.output.text(frameHeader(4, FrameType.WINDOW_UPDATE, 0, id) + word(count));
  }

  /** As giveBack(), of the connection alone: its stream should get no more. */
  giveBackWhole(count: number): void {
    this.#credit += count;
    if (this.#credit * 2 < this.options.connectionWindow || this.ended) return;
    this.#sendUpdate(0, this.#credit);
    this.#receiveWindow += this.#credit;
    this.#credit = 0;
  }

  /** So much waits in a stream until somebody takes it. */
  waits(count: number): void {
    if (this.#advanced + count > ALLOWANCE[this.options.role]) return;
    this.#advanced += count;
    this.giveBackWhole(count);
  }

  /** So much waits no more, and will be given back. */
  waitsNoMore(count: number): void {
    const known = Math.min(count, this.#advanced);
    this.#advanced -= known;
    this.#credit -= known;
  }

  /** Takes a stream out; it is told by whoever does this. */
  protected remove(stream: Http2Stream, by: ClosedBy): void {
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, by);
    this.order.remove(stream);
    if (this.#dataStream === stream) this.#dataStream = undefined;
    stream.leave();
    this.onStreamGone(stream);
  }
}
