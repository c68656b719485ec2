/**
 * A connection of HTTP/2 (RFC 9113) as both roles need it: how it begins, goes on, fails and ends. The roles say what header blocks mean
 * and who gets streams.
 *
 * Whatever a peer does wrong ends in one of two ways: resetFor() for a stream, fail() for the connection. Both cost the peer
 * (AbuseBudget) or end it.
 */
import type { BodyLease } from "../exchange/contract.ts";
import type { ByteReader } from "../wire/inlet.ts";
import { ControlFrames } from "./control-frames.ts";
import { FrameReader, type BlockFacts } from "./frame-reader.ts";
import type { FrameSink } from "./frame-sink.ts";
import { ErrorCode, frameHeader, FrameType, INITIAL_WINDOW, PREFACE, word } from "./frames.ts";
import type { Http2Options, Http2Transport } from "./receiving-side.ts";
import { Setting, settingsFrame } from "./settings.ts";

/** CONTINUATION frames of one header block. */
const MAX_CONTINUATIONS = 32;
/** Bytes of a header block as it comes, at most and at least. */
const MAX_BLOCK = 65_536;
const LEAST_BLOCK = 16_384;

/** One connection. */
export abstract class Http2Connection extends ControlFrames implements FrameSink, ByteReader {
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

  /** The connection cannot go on: GOAWAY, then FIN; what comes is ignored. */
  fail(code: ErrorCode, detail: string): void {
    if (this.ended) return;
    this.goaway(this.lastId, code, detail);
    this.end();
    this.loseStreams();
    this.onFailed(code, detail);
  }

  /** FIN behind what is gathered; reads on and ignores what comes. The role destroys the socket when it has lingered. */
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
}
