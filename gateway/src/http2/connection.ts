/**
 * A connection of HTTP/2 (RFC 9113) as both roles need it: settings, windows, ends and errors. The roles say what header blocks
 * mean and who gets streams.
 *
 * Whatever a peer does wrong ends in one of two ways: resetFor() for a stream, fail() for the connection. Both cost the peer
 * (AbuseBudget) or end it.
 */
import type { Socket } from "node:net";
import type { BodyLease } from "../exchange/contract.ts";
import type { ByteReader, Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { AbuseBudget, Price, SMALL_UPDATE } from "./abuse-budget.ts";
import { ClosedStreams, type ClosedBy } from "./closed-streams.ts";
import { FrameReader, type BlockFacts, type FrameSink, type Payload } from "./frame-reader.ts";
import {
  ErrorCode,
  Flag,
  frameHeader,
  FrameType,
  INITIAL_WINDOW,
  MAX_WINDOW,
  PREFACE,
  readWord,
  readWord31,
  word,
} from "./frames.ts";
import { HpackDecoder, type FieldClassifier, type FieldSink } from "./hpack/decoder.ts";
import { parsePriority } from "./priority.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { SendingSide } from "./sending-side.ts";
import { Setting, settingsFrame } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";

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

/** Milliseconds that an ended connection is read on, so that no reset eats what was written last. */
export const LINGER = 1500;
/** CONTINUATION frames of one header block. */
const MAX_CONTINUATIONS = 32;
/** Bytes of a header block as it comes, at most and at least. */
const MAX_BLOCK = 65_536;
const LEAST_BLOCK = 16_384;
/** Bytes of either HPACK table. */
const TABLE_SIZE = 4096;

/** One connection. */
export abstract class Http2Connection extends SendingSide implements FrameSink, ByteReader {
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
  protected readonly reader: FrameReader;
  protected readonly budget: AbuseBudget;
  protected readonly closedStreams = new ClosedStreams();
  readonly #decoder: HpackDecoder;
  #receiveWindow: number;
  #credit = 0;
  #inTurn = false;
  #touched: Http2Stream[] = [];
  #lease: BodyLease | undefined = undefined;
  /** The DATA frame that is being read, and whose it is; undefined: it is ignored. */
  #dataStream: Http2Stream | undefined = undefined;
  #dataEnds = false;

  constructor(transport: Http2Transport, options: Http2Options) {
    super(transport.socket, transport.ways);
    const { socket, inlet } = transport;
    this.socket = socket;
    this.inlet = inlet;
    this.options = options;
    const bytes = Math.min(MAX_BLOCK, Math.max(LEAST_BLOCK, options.maxHeaderListSize));
    const first = options.role === "server" ? "preface" : "frames";
    this.reader = new FrameReader(this, { bytes, frames: MAX_CONTINUATIONS }, first);
    this.budget = new AbuseBudget(options.abuseBudget, () => options.now());
    this.#decoder = new HpackDecoder({ maxTableSize: TABLE_SIZE, classify: options.classify });
    this.#receiveWindow = Math.max(INITIAL_WINDOW, options.connectionWindow);
    this.output.text(this.#hello());
  }

  /** A header block for a stream that is not open. It must be decoded whatever becomes of it. */
  protected abstract onNewBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void;
  /** SETTINGS of the peer are in force. */
  protected abstract onSettings(): void;
  /** The peer opens no more streams (server role), or takes none beyond this one (client role). */
  protected abstract onGoaway(lastId: number, code: number): void;
  /** The peer answered a PING of ours. */
  protected abstract onPong(): void;
  /** It failed: GOAWAY is on its way, all streams were told. */
  protected abstract onFailed(code: ErrorCode, detail: string): void;
  /** Something is wrong with us. */
  protected abstract onBug(error: unknown): void;
  /** A stream has left; called before the stream is told. */
  protected abstract onStreamGone(stream: Http2Stream): void;
  /** A turn of reading or sending ends. */
  protected abstract onTurnEnd(): void;
  abstract onBlockBegun(): void;

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    if (this.ended) return;
    const outermost = this.enterTurn();
    this.#lease = lease;
    try {
      this.reader.read(bytes, from, to);
    } catch (error) {
      this.onBug(error);
    }
    this.#lease = undefined;
    if (outermost) this.leaveTurn();
  }

  /** Begins a turn: streams that are touched in it are flushed at its end. False where it has begun. */
  enterTurn(): boolean {
    if (this.#inTurn) return false;
    this.#inTurn = true;
    return true;
  }

  /** Ends what enterTurn() began. */
  leaveTurn(): void {
    const touched = this.#touched;
    for (let i = 0; i < touched.length; i++) this.#flushTouched(touched[i]);
    if (touched.length > 0) touched.length = 0;
    this.#inTurn = false;
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

  onBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void {
    const stream = this.streams.get(facts.stream);
    if (stream === undefined) this.onNewBlock(facts, bytes, from, to);
    else stream.onBlock(facts, bytes, from, to);
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
    if (length === 0 && !endStream) this.spend(Price.frame);
  }

  onDataPiece(bytes: Buffer, from: number, to: number): void {
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
    const lease = this.#lease;
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
    if (stream !== undefined && this.#dataEnds) this.endReceived(stream, "");
  }

  /** The peer's half of a stream is complete, with these trailers, if its length is as it was announced. */
  endReceived(stream: Http2Stream, trailers: string): void {
    if (stream.expected >= 0 && stream.received !== stream.expected)
      this.resetFor(stream, ErrorCode.PROTOCOL_ERROR, "less DATA than content-length");
    else stream.receiveEnd(trailers);
  }

  onControl(type: number, flags: number, id: number, payload: Payload): void {
    switch (type) {
      case FrameType.SETTINGS:
        if ((flags & Flag.ACK) !== 0) this.acknowledged = true;
        else this.#onSettings(payload);
        break;
      case FrameType.WINDOW_UPDATE:
        this.#onWindowUpdate(id, readWord31(payload.bytes, payload.from));
        break;
      case FrameType.RST_STREAM:
        this.#onReset(id, readWord(payload.bytes, payload.from));
        break;
      case FrameType.PING:
        this.#onPing(flags, payload);
        break;
      case FrameType.GOAWAY:
        this.onGoaway(readWord31(payload.bytes, payload.from), readWord(payload.bytes, payload.from + 4));
        break;
      case FrameType.PRIORITY:
        this.#onPriority(id, payload);
        break;
      case FrameType.PRIORITY_UPDATE:
        this.#onPriorityUpdate(payload);
        break;
      default:
    }
  }

  /** The connection cannot go on: GOAWAY, then FIN; what comes is ignored. */
  fail(code: ErrorCode, detail: string): void {
    if (this.ended) return;
    this.goaway(this.lastId, code, detail);
    this.end();
    this.loseStreams();
    this.onFailed(code, detail);
  }

  /** FIN behind what is gathered; reads on and ignores what comes. The role destroys the socket after LINGER. */
  end(): void {
    this.ended = true;
    this.reader.stop();
    this.output.end();
    this.inlet.narrow();
    this.inlet.resume();
  }

  /** All streams are gone, and are told. */
  loseStreams(): void {
    const streams = [...this.streams.values()];
    for (const stream of streams) this.#remove(stream, "peer");
    for (const stream of streams) stream.onConnectionLost();
  }

  /** The streams that the peer has not ended are gone, and are told. */
  loseIncomplete(): void {
    const streams = [...this.streams.values()].filter(({ remoteClosed }) => !remoteClosed);
    for (const stream of streams) this.#remove(stream, "peer");
    for (const stream of streams) stream.onConnectionLost();
  }

  /** Spends of the budget; ends the connection where it is used up. */
  spend(price: number): void {
    if (!this.budget.spend(price)) this.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that ask for nothing");
  }

  /** Resets a stream for a reason of ours; nothing is called on it any more. */
  reset(stream: Http2Stream, code: ErrorCode): void {
    if (stream.gone) return;
    this.#sendReset(stream.id, code);
    this.#remove(stream, "us");
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
    this.#remove(stream, "peer");
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

  protected onRoom(): void {
    const outermost = this.enterTurn();
    try {
      this.pump();
      if (!this.output.flooded && !this.reading) this.#resumeReading();
    } catch (error) {
      this.onBug(error);
    }
    if (outermost) this.leaveTurn();
  }

  #hello(): string {
    const { role, maxConcurrentStreams, streamWindow, connectionWindow, maxHeaderListSize } = this.options;
    const common = [
      [Setting.INITIAL_WINDOW_SIZE, streamWindow],
      [Setting.MAX_HEADER_LIST_SIZE, maxHeaderListSize],
    ] as const;
    const settings =
      role === "client"
        ? settingsFrame([[Setting.ENABLE_PUSH, 0], ...common])
        : settingsFrame([
            [Setting.MAX_CONCURRENT_STREAMS, maxConcurrentStreams],
            ...common,
            [Setting.ENABLE_CONNECT_PROTOCOL, 1],
            [Setting.NO_RFC7540_PRIORITIES, 1],
          ]);
    const more = connectionWindow - INITIAL_WINDOW;
    const preface = role === "client" ? PREFACE : "";
    return preface + settings + (more > 0 ? frameHeader(4, FrameType.WINDOW_UPDATE, 0, 0) + word(more) : "");
  }

  #flushTouched(stream: Http2Stream | undefined): void {
    if (stream === undefined) return;
    stream.touched = false;
    if (!stream.gone && stream.onTurn() === "full") stream.pauseBody();
  }

  #resumeReading(): void {
    this.reading = true;
    this.inlet.resume();
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

  #onSettings({ bytes, from, to }: Payload): void {
    const { initialWindow, headerTableSize } = this.peer;
    const code = this.peer.apply(bytes, from, to);
    if (code !== ErrorCode.NO_ERROR) {
      this.fail(code, "SETTINGS out of range");
      return;
    }
    if (!this.#shiftWindows(this.peer.initialWindow - initialWindow)) return;
    if (this.peer.headerTableSize !== headerTableSize) this.encoder.setMaxTableSize(this.peer.headerTableSize);
    this.output.text(frameHeader(0, FrameType.SETTINGS, Flag.ACK, 0));
    this.spend(Price.settings);
    if (this.ended) return;
    this.pump();
    this.onSettings();
  }

  /** RFC 9113 section 6.9.2: windows of open streams change by the difference, and may become negative. */
  #shiftWindows(difference: number): boolean {
    if (difference === 0) return true;
    for (const stream of this.streams.values()) {
      stream.sendWindow += difference;
      if (stream.sendWindow > MAX_WINDOW) {
        this.fail(ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE too large for an open stream");
        return false;
      }
      if (stream.hasRest) this.queue(stream);
    }
    return true;
  }

  #onWindowUpdate(id: number, count: number): void {
    const stream = id === 0 ? undefined : this.streams.get(id);
    if (count < SMALL_UPDATE) this.spend(Price.frame);
    if (id === 0) {
      if (count === 0) this.fail(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      else if (!this.widenWindow(count)) this.fail(ErrorCode.FLOW_CONTROL_ERROR, "a connection window over 2^31-1");
      else this.pump();
    } else if (stream !== undefined) this.#widenStream(stream, count);
    else if (this.isIdle(id)) this.fail(ErrorCode.PROTOCOL_ERROR, `WINDOW_UPDATE on idle stream ${id}`);
  }

  #widenStream(stream: Http2Stream, count: number): void {
    stream.sendWindow += count;
    if (count === 0) this.resetFor(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    else if (stream.sendWindow > MAX_WINDOW)
      this.resetFor(stream, ErrorCode.FLOW_CONTROL_ERROR, "a stream window over 2^31-1");
    else if (stream.hasRest) {
      this.queue(stream);
      this.pump();
    }
  }

  #onReset(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) this.fail(ErrorCode.PROTOCOL_ERROR, `RST_STREAM on idle stream ${id}`);
      else this.spend(Price.frame);
      return;
    }
    const price = stream.localClosed ? Price.frame : Price.reset;
    this.#remove(stream, "peer");
    stream.onReset(code);
    this.spend(price);
  }

  #onPing(flags: number, { bytes, from, to }: Payload): void {
    if ((flags & Flag.ACK) !== 0) this.onPong();
    else {
      this.output.text(frameHeader(to - from, FrameType.PING, Flag.ACK, 0) + toLatin1(bytes, from, to));
      this.spend(Price.frame);
    }
  }

  /** Priorities of RFC 7540 are not followed (RFC 9113 section 5.3.2), only checked. */
  #onPriority(id: number, { bytes, from, to }: Payload): void {
    const wrongSize = to - from !== 5;
    if (!wrongSize && readWord31(bytes, from) !== id) {
      this.spend(Price.frame);
      return;
    }
    const code = wrongSize ? ErrorCode.FRAME_SIZE_ERROR : ErrorCode.PROTOCOL_ERROR;
    const stream = this.streams.get(id);
    // idle streams cannot be reset
    if (stream !== undefined) this.resetFor(stream, code, "malformed PRIORITY");
    else if (this.isIdle(id)) this.fail(code, `malformed PRIORITY on idle stream ${id}`);
    else this.refuse(id, code, Price.reset);
  }

  #onPriorityUpdate({ bytes, from, to }: Payload): void {
    const id = readWord31(bytes, from);
    if (id === 0 || this.options.role === "client") {
      this.fail(ErrorCode.PROTOCOL_ERROR, "misplaced PRIORITY_UPDATE");
      return;
    }
    const stream = this.streams.get(id);
    this.spend(Price.frame);
    if (stream === undefined || stream.gone) return;
    stream.priority = parsePriority(toLatin1(bytes, from + 4, to));
    if (!stream.hasRest) return;
    this.order.remove(stream);
    this.queue(stream);
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

  #remove(stream: Http2Stream, by: ClosedBy): void {
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, by);
    this.order.remove(stream);
    if (this.#dataStream === stream) this.#dataStream = undefined;
    stream.leave();
    this.onStreamGone(stream);
  }
}
