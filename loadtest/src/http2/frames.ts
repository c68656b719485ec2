// The frames of HTTP/2 (RFC 9113) as far as clients of the load test need them. A client of our own is as raw as this because it
// must cope with whatever number of streams, and cost next to nothing itself.
import type { RequestParts } from "./request-parts.ts";

/** Types of frames (RFC 9113 section 6). */
export const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;

/** Flags of frames; the acknowledgement of SETTINGS and PING has the bit of END_STREAM. */
export const frameFlags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Bytes of a frame's head. */
const frameHeadBytes = 9;

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, frameHeadBytes);
  return bytes;
}

/** What a client sends first: the preface, SETTINGS that leave everything at its default, and a wide window for the connection. */
export function clientPreface(): Buffer {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(2 ** 31 - 1 - 65_535);
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
  return Buffer.concat([preface, frame(frameTypes.settings, 0, 0), frame(frameTypes.windowUpdate, 0, 0, increment)]);
}

/** A request as frames of stream 0: `onStream` says which it is to be. Bodies are those of one DATA frame, or none. */
export function requestFrames(parts: RequestParts, scheme: "http" | "https"): Buffer {
  const { method, authority, path, fields, body } = parts;
  const pseudo = [
    [":method", method],
    [":scheme", scheme],
    [":authority", authority],
    [":path", path],
  ] as const;
  const block = Buffer.concat([...pseudo, ...fields].map(([name, value]) => literal(name, value)));
  const { endHeaders, endStream } = frameFlags;
  const head = frame(frameTypes.headers, endHeaders | (body === "" ? endStream : 0), 0, block);
  if (body === "") return head;
  return Buffer.concat([head, frame(frameTypes.data, endStream, 0, Buffer.from(body, "latin1"))]);
}

/** A copy of the frames of a request, for this stream. */
export function onStream(frames: Buffer, stream: number): Buffer {
  const copy = Buffer.from(frames);
  for (let at = 0; at < copy.length; at += frameHeadBytes + copy.readUIntBE(at, 3)) copy.writeUInt32BE(stream, at + 5);
  return copy;
}

/** A field as a literal without indexing and without Huffman coding (RFC 7541 section 6.2.2). */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([prefixed(bytes.length), bytes]);
}

/** A length with a prefix of seven bits (RFC 7541 section 5.1). */
function prefixed(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** One frame that was received; the payload is valid during the call only. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts the bytes of a connection into frames. */
export class FrameCutter {
  readonly #onFrame: (received: ReceivedFrame) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: (received: ReceivedFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes; the buffer may be reused afterwards. */
  push(received: Buffer): void {
    const bytes = this.#rest.length === 0 ? received : Buffer.concat([this.#rest, received]);
    let at = 0;
    while (bytes.length - at >= frameHeadBytes) {
      const end = at + frameHeadBytes + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#onFrame({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
        payload: bytes.subarray(at + frameHeadBytes, end),
      });
      at = end;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0);
  }
}

/** Whether a HEADERS frame says 200: the one status that every encoder writes as entry 8 of the static table, and first. */
export function saysOk({ flags, payload }: ReceivedFrame): boolean {
  let at = ((flags & frameFlags.padded) === 0 ? 0 : 1) + ((flags & frameFlags.priority) === 0 ? 0 : 5);
  // Changes of the dynamic table's size come before any field; their length has a prefix of five bits.
  while (((payload[at] ?? 0) & 0xe0) === 0x20) {
    const long = ((payload[at] ?? 0) & 0x1f) === 0x1f;
    at++;
    while (long && ((payload[at++] ?? 0) & 0x80) !== 0);
  }
  return payload[at] === 0x88;
}
