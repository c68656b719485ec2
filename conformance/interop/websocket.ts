// As much of RFC 6455 as an echo needs: unfragmented text and close frames, each masked on its way from a client.
import { createHash, randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x1;
const CLOSE = 0x8;
const FIN = 0x80;
const MASKED = 0x80;
/** Lengths from this on have two bytes of their own (section 5.2); longer ones are not spoken here. */
const EXTENDED = 126;
const LARGEST = 0xffff;

/** What a server answers to a key (section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

/** One end of a WebSocket whose handshake is over. */
export class WebSocketEnd {
  readonly #stream: Duplex;
  readonly #role: "client" | "server";
  readonly #onText: (text: string) => void;
  #unread = Buffer.alloc(0);

  /** Text frames are given to `onText`; a close frame is answered and ends the stream. */
  constructor(stream: Duplex, role: "client" | "server", onText: (text: string) => void) {
    this.#stream = stream;
    this.#role = role;
    this.#onText = onText;
    stream.on("data", (bytes: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, bytes]);
      while (this.#readFrame());
    });
    stream.on("error", () => stream.destroy());
  }

  /** Sends text of up to 64 KiB. */
  send(text: string): void {
    this.#write(TEXT, Buffer.from(text));
  }

  /** Sends a close frame. */
  close(): void {
    this.#write(CLOSE, Buffer.from([0x03, 0xe8]));
  }

  #write(opcode: number, payload: Buffer): void {
    if (payload.length > LARGEST) throw new Error(`a frame of ${payload.length} bytes`);
    const mask = this.#role === "client" ? randomBytes(4) : undefined;
    const bit = mask === undefined ? 0 : MASKED;
    const head =
      payload.length < EXTENDED
        ? [FIN | opcode, bit | payload.length]
        : [FIN | opcode, bit | EXTENDED, payload.length >> 8, payload.length & 0xff];
    const body = mask === undefined ? payload : masked(payload, mask);
    this.#stream.write(Buffer.concat([Buffer.from(head), mask ?? Buffer.alloc(0), body]));
  }

  #readFrame(): boolean {
    const bytes = this.#unread;
    if (bytes.length < 2) return false;
    const isMasked = (bytes.readUInt8(1) & MASKED) !== 0;
    if (isMasked !== (this.#role === "server")) throw new Error("a frame is masked by the wrong end");
    const short = bytes.readUInt8(1) & 0x7f;
    if (short > EXTENDED) throw new Error("a frame is longer than this suite's");
    const lengthEnd = short === EXTENDED ? 4 : 2;
    if (bytes.length < lengthEnd) return false;
    const length = short === EXTENDED ? bytes.readUInt16BE(2) : short;
    const from = lengthEnd + (isMasked ? 4 : 0);
    if (bytes.length < from + length) return false;
    const raw = bytes.subarray(from, from + length);
    const payload = isMasked ? masked(raw, bytes.subarray(lengthEnd, from)) : raw;
    this.#unread = bytes.subarray(from + length);
    this.#onFrame(bytes.readUInt8(0) & 0x0f, payload);
    return true;
  }

  #onFrame(opcode: number, payload: Buffer): void {
    if (opcode === TEXT) return this.#onText(payload.toString());
    if (opcode !== CLOSE) throw new Error(`a frame of type ${opcode}`);
    if (this.#role === "server") this.close();
    this.#stream.end();
  }
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
}
