/** SETTINGS (RFC 9113 section 6.5): ours as a frame, the peer's with all checks. */
import { DEFAULT_HTTP2_SERVER_OPTIONS, type HttpServerOptions } from "@sallyport/model/listener";
import { ErrorCode, FrameType, INITIAL_WINDOW, MAX_FRAME, MAX_WINDOW, frameHeader, readWord, word } from "./frames.ts";

/** Identifiers; ENABLE_CONNECT_PROTOCOL: RFC 8441, NO_RFC7540_PRIORITIES: RFC 9218. */
export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
  NO_RFC7540_PRIORITIES: 9,
} as const;

/** Whether clients are told, and held to, the same under both. */
export function isSameHttp2(one: Http2Of, other: Http2Of): boolean {
  const { http2: left = DEFAULT_HTTP2_SERVER_OPTIONS } = one;
  const { http2: right = DEFAULT_HTTP2_SERVER_OPTIONS } = other;
  const isSameWindow = left.streamWindow === right.streamWindow && left.connectionWindow === right.connectionWindow;
  return (
    isSameWindow && left.maxConcurrentStreams === right.maxConcurrentStreams && left.abuseBudget === right.abuseBudget
  );
}

type Http2Of = Pick<HttpServerOptions, "http2">;

/** Largest MAX_FRAME_SIZE (RFC 9113 section 6.5.2). */
const MAX_MAX_FRAME = 0xff_ffff;

/** A SETTINGS frame of pairs of identifier and value. */
export function settingsFrame(pairs: readonly (readonly [number, number])[]): string {
  let payload = "";
  for (const [id, value] of pairs) payload += String.fromCharCode(id >>> 8, id & 255) + word(value);
  return frameHeader(payload.length, FrameType.SETTINGS, 0, 0) + payload;
}

/** What the peer asked for; the defaults before its SETTINGS came. */
export class PeerSettings {
  headerTableSize = 4096;
  maxConcurrentStreams = 0xffff_ffff;
  initialWindow = INITIAL_WINDOW;
  maxFrame = MAX_FRAME;
  maxHeaderListSize = 0xffff_ffff;
  /** It takes extended CONNECT (RFC 8441). */
  connectProtocol = false;
  /** A SETTINGS frame of its came. */
  received = false;

  /** Takes over the entries at bytes[from, to). Returns what they are wrong for; NO_ERROR where they are not. */
  apply(bytes: Buffer, from: number, to: number): ErrorCode {
    this.received = true;
    for (let at = from; at < to; at += 6) {
      const id = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      const code = this.#set(id, readWord(bytes, at + 2));
      if (code !== ErrorCode.NO_ERROR) return code;
    }
    return ErrorCode.NO_ERROR;
  }

  #set(id: number, value: number): ErrorCode {
    switch (id) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableSize = value;
        break;
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case Setting.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListSize = value;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        this.initialWindow = value;
        return value > MAX_WINDOW ? ErrorCode.FLOW_CONTROL_ERROR : ErrorCode.NO_ERROR;
      case Setting.MAX_FRAME_SIZE:
        this.maxFrame = value;
        return checkRange(value, MAX_FRAME, MAX_MAX_FRAME);
      case Setting.ENABLE_PUSH:
        return checkRange(value, 0, 1);
      case Setting.ENABLE_CONNECT_PROTOCOL: {
        // RFC 8441 section 3: once given it must not be taken back
        const code = checkRange(value, this.connectProtocol ? 1 : 0, 1);
        this.connectProtocol = value === 1;
        return code;
      }
      default:
    }
    return ErrorCode.NO_ERROR;
  }
}

function checkRange(value: number, least: number, most: number): ErrorCode {
  return value < least || value > most ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
}
