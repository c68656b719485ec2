/**
 * What the control frames of an HTTP/2 peer do (RFC 9113 section 6): to settings and windows, and to streams. Those that ask for nothing
 * cost the peer (AbuseBudget).
 */
import { toLatin1 } from "../wire/latin1.ts";
import { Price, SMALL_UPDATE } from "./abuse-budget.ts";
import type { Payload } from "./frame-sink.ts";
import { ErrorCode, Flag, frameHeader, FrameType, MAX_WINDOW, readWord, readWord31 } from "./frames.ts";
import { parsePriority } from "./priority.ts";
import { ReceivingSide } from "./receiving-side.ts";
import type { Http2Stream } from "./stream.ts";

/** What acts on them. */
export abstract class ControlFrames extends ReceivingSide {
  /** SETTINGS of the peer are in force. */
  protected abstract onSettings(): void;
  /** The peer opens no more streams (server role), or takes none beyond this one (client role). */
  protected abstract onGoaway(lastId: number, code: number): void;
  /** The peer answered a PING of ours. */
  protected abstract onPong(): void;

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
