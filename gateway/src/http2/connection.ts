/**
 * A connection of HTTP/2 (RFC 9113) as both roles need it: settings, windows, ends and errors. The roles say what header blocks
 * mean and who gets streams.
 *
 * Whatever a peer does wrong ends in one of two ways: resetFor() for a stream, fail() for the connection. Both cost the peer
 * (AbuseBudget) or end it.
 */
import type { BodyLease } from "../exchange/contract.ts";
import type { ByteReader } from "../wire/inlet.ts";
import { Price, SMALL_UPDATE } from "./abuse-budget.ts";
import { FrameReader, type BlockFacts } from "./frame-reader.ts";
import type { FrameSink, Payload } from "./frame-sink.ts";
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
import { parsePriority } from "./priority.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { ReceivingSide, type Http2Options, type Http2Transport } from "./receiving-side.ts";
import { Setting, settingsFrame } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";

/** Milliseconds that an ended connection is read on, so that no reset eats what was written last. */
export const LINGER = 1500;
/** CONTINUATION frames of one header block. */
const MAX_CONTINUATIONS = 32;
/** Bytes of a header block as it comes, at most and at least. */
const MAX_BLOCK = 65_536;
const LEAST_BLOCK = 16_384;

/** One connection. */
export abstract class Http2Connection extends ReceivingSide implements FrameSink, ByteReader {
  protected readonly reader: FrameReader;

  constructor(transport: Http2Transport, options: Http2Options) {
    super(transport, options);
    const bytes = Math.min(MAX_BLOCK, Math.max(LEAST_BLOCK, options.maxHeaderListSize));
    const first = options.role === "server" ? "preface" : "frames";
    this.reader = new FrameReader(this, { bytes, frames: MAX_CONTINUATIONS }, first);
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
  abstract onBlockBegun(): void;

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    if (this.ended) return;
    const outermost = this.enterTurn();
    this.lease = lease;
    try {
      this.reader.read(bytes, from, to);
    } catch (error) {
      this.onBug(error);
    }
    this.lease = undefined;
    if (outermost) this.leaveTurn();
  }

  onBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void {
    const stream = this.streams.get(facts.stream);
    if (stream === undefined) this.onNewBlock(facts, bytes, from, to);
    else stream.onBlock(facts, bytes, from, to);
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

  /** Spends of the budget; ends the connection where it is used up. */
  spend(price: number): void {
    if (!this.budget.spend(price)) this.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that ask for nothing");
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

  #resumeReading(): void {
    this.reading = true;
    this.inlet.resume();
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
    if (count < SMALL_UPDATE && !this.budget.confirm()) this.spend(Price.frame);
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
    if (code === ErrorCode.NO_ERROR && this.options.role === "client") this.#endWhole(stream);
    if (!stream.gone) {
      this.remove(stream, "peer");
      stream.onReset(code);
    }
    this.spend(price);
  }

  /**
   * An answer that is as long as was announced lacks nothing but END_STREAM. Servers of Node.js reset the streams of requests that
   * they did not read once all was written, and while the socket takes no more, the reset overtakes the empty last frame.
   */
  #endWhole(stream: Http2Stream): void {
    if (stream.remoteClosed || stream.received !== stream.expected) return;
    // nobody reads the rest of the request
    stream.localClosed = true;
    this.endReceived(stream, "");
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
}
