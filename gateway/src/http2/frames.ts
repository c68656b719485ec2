/** Numbers of RFC 9113: frame types, flags, error codes, sizes. */

/** Frame types (RFC 9113 section 6; PRIORITY_UPDATE: RFC 9218 section 7.1). */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  PRIORITY_UPDATE: 16,
} as const;

/** Flags; ACK is END_STREAM's bit on SETTINGS and PING. */
export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Error codes (RFC 9113 section 7). */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;
/** An error code; peers may send others, which count as INTERNAL_ERROR. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Bytes of a frame header. */
export const HEADER_SIZE = 9;
/** Largest payload we take: the least that may be announced (RFC 9113 section 4.2), and enough. */
export const MAX_FRAME = 16_384;
/** Largest DATA payload we send: with its header it fills one TLS record. */
export const MAX_DATA = MAX_FRAME - HEADER_SIZE;
/** Largest window (RFC 9113 section 6.9.1). */
export const MAX_WINDOW = 0x7fff_ffff;
/** What windows begin with (RFC 9113 section 6.9.2). */
export const INITIAL_WINDOW = 65_535;
/** Largest stream id. */
export const MAX_STREAM_ID = 0x7fff_ffff;

/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ErrorCode).map(([name, code]) => [code, name]));

/** The name of an error code, for logs. */
export function errorName(code: number): string {
  return NAMES.get(code) ?? `error ${code}`;
}

/** A frame header as latin1 text. */
export function frameHeader(length: number, type: number, flags: number, stream: number): string {
  return String.fromCharCode(
    (length >>> 16) & 255,
    (length >>> 8) & 255,
    length & 255,
    type,
    flags,
    (stream >>> 24) & 127,
    (stream >>> 16) & 255,
    (stream >>> 8) & 255,
    stream & 255,
  );
}

/** Four bytes, most significant first, as latin1 text. */
export function word(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** Four bytes at an offset, without the reserved first bit. */
export function readWord31(bytes: Buffer, at: number): number {
  return readWord(bytes, at) & 0x7fff_ffff;
}

/** Four bytes at an offset. */
export function readWord(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}
