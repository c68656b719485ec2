// Frames and header blocks of HTTP/2 as bytes, right or wrong: nothing here checks what it is asked to write.

/** Frame types (RFC 9113 section 6). */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Frame flags. */
export const FLAG = { none: 0, ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const;

/** Error codes (RFC 9113 section 7). */
export const ERROR = {
  none: 0,
  protocol: 1,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

/** Settings (RFC 9113 section 6.5.2). */
export const SETTING = { tableSize: 1, initialWindow: 4 } as const;

/** What a client sends before its first frame (RFC 9113 section 3.4). */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Name and value. */
export type FieldPair = readonly [name: string, value: string];

/** A frame; the payload is latin1 text or bytes. */
export function frame(type: number, flags: number, stream: number, payload: string | Uint8Array = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const bytes = Buffer.alloc(9 + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(body, 9);
  return bytes;
}

/** A whole request head, or trailers, in one frame. */
export function headers(stream: number, fields: readonly FieldPair[], more: "ends" | "goes-on" = "ends"): Buffer {
  return frame(TYPE.headers, FLAG.endHeaders | (more === "ends" ? FLAG.endStream : FLAG.none), stream, toBlock(fields));
}

/** Fields as literals that are not kept and not coded. */
export function toBlock(fields: readonly FieldPair[]): string {
  return fields.map(([name, value]) => `\x00${toText(name)}${toText(value)}`).join("");
}

/** A literal that is kept. */
export function toKept(name: string, value: string): string {
  return `\x40${toText(name)}${toText(value)}`;
}

/** SETTINGS of these identifiers and values. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(TYPE.settings, FLAG.none, 0, payload);
}

/** RST_STREAM. */
export function reset(stream: number, code: number): Buffer {
  return frame(TYPE.reset, FLAG.none, stream, toOctets(code));
}

/** WINDOW_UPDATE. */
export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(TYPE.windowUpdate, FLAG.none, stream, toOctets(increment));
}

/** The pseudo-header fields of a GET, and further fields. */
export function get(path = "/", ...fields: readonly FieldPair[]): readonly FieldPair[] {
  return [[":method", "GET"], [":scheme", "http"], [":authority", "a.test"], [":path", path], ...fields];
}

/** The pseudo-header fields of a POST, and further fields. */
export function post(...fields: readonly FieldPair[]): readonly FieldPair[] {
  return [[":method", "POST"], ...get("/").slice(1), ...fields];
}

function toOctets(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function toText(text: string): string {
  let length = text.length;
  if (length < 127) return String.fromCharCode(length) + text;
  let octets = "\x7f";
  for (length -= 127; length > 127; length >>>= 7) octets += String.fromCharCode((length & 127) | 128);
  return octets + String.fromCharCode(length) + text;
}
