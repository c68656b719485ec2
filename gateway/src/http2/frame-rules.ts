/** What a frame can be wrong for by its header alone (RFC 9113 section 6). */
import { ErrorCode, Flag, FrameType } from "./frames.ts";

/** Bytes of GOAWAY without debug data. */
export const GOAWAY_SIZE = 8;

/** Payload sizes that are fixed. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [FrameType.RST_STREAM, 4],
  [FrameType.PING, 8],
  [FrameType.WINDOW_UPDATE, 4],
]);
/** Whether a type is of a stream (1), of the connection (0), or of either. */
const PLACES: ReadonlyMap<number, 0 | 1> = new Map([
  [FrameType.DATA, 1],
  [FrameType.HEADERS, 1],
  [FrameType.PRIORITY, 1],
  [FrameType.RST_STREAM, 1],
  [FrameType.SETTINGS, 0],
  [FrameType.PUSH_PROMISE, 1],
  [FrameType.PING, 0],
  [FrameType.GOAWAY, 0],
  [FrameType.CONTINUATION, 1],
  [FrameType.PRIORITY_UPDATE, 0],
]);

/** Whether a frame may not be on this stream, or at all: nobody may push to us. */
export function isMisplaced(type: number, stream: number): boolean {
  const place = PLACES.get(type);
  return type === FrameType.PUSH_PROMISE || (place !== undefined && (stream !== 0) !== (place === 1));
}

/** What the size of a payload is wrong for; NO_ERROR where it is not. */
export function judgeSize(type: number, flags: number, length: number): ErrorCode {
  const size = SIZES.get(type);
  const right = size === undefined ? isSizeRight(type, flags, length) : length === size;
  return right ? ErrorCode.NO_ERROR : ErrorCode.FRAME_SIZE_ERROR;
}

function isSizeRight(type: number, flags: number, length: number): boolean {
  const padding = (flags & Flag.PADDED) === 0 ? 0 : 1;
  switch (type) {
    case FrameType.SETTINGS:
      return (flags & Flag.ACK) === 0 ? length % 6 === 0 : length === 0;
    case FrameType.GOAWAY:
      return length >= GOAWAY_SIZE;
    case FrameType.PRIORITY_UPDATE:
      return length >= 4;
    case FrameType.DATA:
      return length >= padding;
    case FrameType.HEADERS:
      return length >= padding + ((flags & Flag.PRIORITY) === 0 ? 0 : 5);
    default:
      return true;
  }
}
