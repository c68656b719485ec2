/**
 * The sending side of an HTTP/2 connection: frames of streams and of the connection, in the peer's windows and in fair order (RFC
 * 9113 sections 5.2 and 6.9, RFC 9218). Control frames and heads are added at once; DATA while the output has room, the rest
 * waits in its stream for its turn.
 */
import type { Socket } from "node:net";
import { Timed } from "../time/wheel.ts";
import { toLatin1 } from "../wire/latin1.ts";
import type { SocketWays } from "../wire/outlet.ts";
import type { AbuseBudget } from "./abuse-budget.ts";
import { FrameOutput } from "./frame-output.ts";
import { Flag, frameHeader, FrameType, INITIAL_WINDOW, MAX_DATA, MAX_WINDOW, word, type ErrorCode } from "./frames.ts";
import type { Payload } from "./frame-sink.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { SendOrder } from "./send-order.ts";
import { PeerSettings } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";

/** DATA up to this size is joined as text. */
const SMALL_DATA = 2048;

/** What sends. */
export abstract class SendingSide extends Timed {
  readonly peer = new PeerSettings();
  readonly output: FrameOutput;
  readonly encoder = new HpackEncoder();
  /** Nothing more is read, and written no more than what is gathered. */
  ended = false;
  protected readonly order = new SendOrder();
  protected abstract readonly budget: AbuseBudget;
  #sendWindow = INITIAL_WINDOW;

  constructor(socket: Socket, ways: SocketWays) {
    super();
    this.output = new FrameOutput(socket, ways, () => this.onRoom());
  }

  /** There may be room for more DATA. */
  protected abstract onRoom(): void;
  /** Adds a GOAWAY. */
  goaway(lastId: number, code: ErrorCode, detail: string): void {
    this.output.text(frameHeader(8 + detail.length, FrameType.GOAWAY, 0, 0) + word(lastId) + word(code) + detail);
  }

  /** Adds a PING; onPong() follows. */
  ping(): void {
    this.output.text(`${frameHeader(8, FrameType.PING, 0, 0)}sallypor`);
  }

  /** Adds the frames of a header block. */
  sendBlock(stream: Http2Stream, block: string, endStream: boolean): void {
    const most = this.peer.maxFrame;
    const flags = endStream ? Flag.END_STREAM : 0;
    if (block.length <= most)
      this.output.text(frameHeader(block.length, FrameType.HEADERS, flags | Flag.END_HEADERS, stream.id) + block);
    else
      for (let at = 0; at < block.length; at += most) {
        const part = block.slice(at, at + most);
        const type = at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
        const last = at + most >= block.length ? Flag.END_HEADERS : 0;
        this.output.text(frameHeader(part.length, type, last | (at === 0 ? flags : 0), stream.id) + part);
      }
    if (endStream) this.sentEnd(stream);
  }

  /** Whether so much DATA of a stream could be sent at once. */
  canSend(stream: Http2Stream, count: number): boolean {
    return (
      this.order.empty && count <= this.#sendWindow && count <= stream.sendWindow && this.output.hasRoom && !this.ended
    );
  }

  /** Adds DATA of bytes[from, to), as much as windows and output allow. Returns where it stopped. */
  sendData(stream: Http2Stream, bytes: Buffer, from: number, to: number): number {
    if (!this.order.empty) return from;
    let at = from;
    while (at < to && this.output.hasRoom) {
      const count = Math.min(to - at, MAX_DATA, this.#sendWindow, stream.sendWindow);
      if (count <= 0) break;
      this.sendFrame(stream, { bytes, from: at, to: at + count }, false);
      at += count;
    }
    return at;
  }

  /** Adds one DATA frame, for which there is a window. */
  sendFrame(stream: Http2Stream, { bytes, from, to }: Payload, endStream: boolean): void {
    const count = to - from;
    const header = frameHeader(count, FrameType.DATA, endStream ? Flag.END_STREAM : 0, stream.id);
    this.#sendWindow -= count;
    stream.sendWindow -= count;
    if (count <= SMALL_DATA) this.output.text(header + toLatin1(bytes, from, to));
    else this.output.bytes(header, bytes, from, to);
  }

  /** Adds one DATA frame of latin1 text, for which there is a window. */
  sendText(stream: Http2Stream, text: string, endStream: boolean): void {
    this.#sendWindow -= text.length;
    stream.sendWindow -= text.length;
    if (text !== "") this.budget.sentPiece();
    this.output.text(frameHeader(text.length, FrameType.DATA, endStream ? Flag.END_STREAM : 0, stream.id) + text);
    if (endStream) this.sentEnd(stream);
  }

  /** Ends our half: with trailers, or an empty DATA frame. */
  sendEnd(stream: Http2Stream, trailers: string): void {
    if (trailers === "") this.sendText(stream, "", true);
    else this.sendBlock(stream, this.encoder.trailers(trailers), true);
  }

  /** END_STREAM was added. */
  sentEnd(stream: Http2Stream): void {
    stream.localClosed = true;
    this.budget.earn();
    if (!stream.remoteClosed) stream.onHalfClosed();
    else stream.settleEnds();
  }

  /** A stream has something to send that had to wait. */
  queue(stream: Http2Stream): void {
    if (stream.sendWindow > 0) this.order.add(stream);
  }

  /** The peer lets us send so much more. False: more than a window can hold. */
  protected widenWindow(count: number): boolean {
    this.#sendWindow += count;
    return this.#sendWindow <= MAX_WINDOW;
  }

  /** Sends what waits in streams: a frame of each in turn, while windows and output allow. */
  protected pump(): void {
    while (!this.ended && this.output.hasRoom) {
      const stream = this.order.first();
      if (stream === undefined || this.#sendWindow <= 0) return;
      const most = Math.min(MAX_DATA, this.#sendWindow, stream.sendWindow);
      if (most <= 0) this.order.remove(stream);
      else if (stream.sendRest(most)) this.order.rotate(stream);
      else {
        this.order.remove(stream);
        stream.drained();
      }
    }
  }
}
