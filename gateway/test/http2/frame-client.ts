/** A client that sends frames as a test writes them, legal or not, and keeps what comes. */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { eventually } from "@sallyport/testkit/eventually";
import { Flag, frameHeader, FrameType, PREFACE, word } from "../../src/http2/frames.ts";
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/http2/hpack/encoder.ts";

/** A frame that came. */
export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  /** Of HEADERS: the fields. */
  readonly fields: ReadonlyMap<string, string>;
}

/** A connection. */
export class FrameClient {
  readonly socket: Socket;
  readonly frames: SeenFrame[] = [];
  closed = false;
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder({ maxTableSize: 4096, classify: () => 0 });
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** Connects and sends the preface with empty SETTINGS, or what is given instead. */
  static async open(port: number, preface = PREFACE + frameHeader(0, FrameType.SETTINGS, 0, 0)): Promise<FrameClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const client = new FrameClient(socket);
    client.raw(preface);
    return client;
  }

  /** Sends latin1 text. */
  raw(text: string): void {
    this.socket.write(text, "latin1");
  }

  frame(type: number, flags: number, stream: number, payload = ""): void {
    this.raw(frameHeader(payload.length, type, flags, stream) + payload);
  }

  acknowledge(): void {
    this.frame(FrameType.SETTINGS, Flag.ACK, 0);
  }

  /** A header block. */
  block(method: string, path: string, lines = ""): string {
    return this.#encoder.request({ method, scheme: "http", authority: "a.test", path }, lines, "");
  }

  /** A header block of extended CONNECT. */
  connectBlock(protocol: string, path: string): string {
    return this.#encoder.request({ method: "CONNECT", protocol, scheme: "http", authority: "a.test", path }, "", "");
  }

  /** HEADERS of a GET, or of another method whose body is still to come. */
  request(stream: number, method = "GET", lines = "", path = "/"): void {
    const flags = Flag.END_HEADERS | (method === "GET" ? Flag.END_STREAM : 0);
    this.frame(FrameType.HEADERS, flags, stream, this.block(method, path, lines));
  }

  data(stream: number, text: string, end = false): void {
    this.frame(FrameType.DATA, end ? Flag.END_STREAM : 0, stream, text);
  }

  window(stream: number, count: number): void {
    this.frame(FrameType.WINDOW_UPDATE, 0, stream, word(count));
  }

  reset(stream: number, code = 8): void {
    this.frame(FrameType.RST_STREAM, 0, stream, word(code));
  }

  close(): void {
    this.socket.destroy();
  }

  /** The first frame of a type, on a stream if that is given. */
  seen(type: number, stream?: number): SeenFrame | undefined {
    return this.frames.find((frame) => frame.type === type && (stream === undefined || frame.stream === stream));
  }

  /** Waits for it. */
  expect(type: number, stream?: number): Promise<SeenFrame> {
    return eventually(() => this.seen(type, stream), { what: `a frame of type ${type}` });
  }

  /** The error code of a GOAWAY or RST_STREAM that is waited for. */
  async code(type: number, stream?: number): Promise<number> {
    const { payload } = await this.expect(type, stream);
    return payload.readUInt32BE(type === FrameType.GOAWAY ? 4 : 0);
  }

  /** Content of a stream so far. */
  content(stream: number): string {
    const frames = this.frames.filter((frame) => frame.type === FrameType.DATA && frame.stream === stream);
    return Buffer.concat(frames.map(({ payload }) => payload)).toString("latin1");
  }

  /** Whether END_STREAM came. */
  ended(stream: number): boolean {
    return this.frames.some(
      ({ type, flags, stream: id }) =>
        id === stream && (type === FrameType.DATA || type === FrameType.HEADERS) && (flags & Flag.END_STREAM) !== 0,
    );
  }

  /** Everything that was sent so far has been dealt with. */
  async settle(): Promise<void> {
    const count = this.#pongs();
    this.frame(FrameType.PING, 0, 0, "settle!!");
    await eventually(() => this.closed || this.#pongs() > count, { what: "an answer to PING" });
  }

  #pongs(): number {
    return this.frames.filter(({ type, flags }) => type === FrameType.PING && (flags & Flag.ACK) !== 0).length;
  }

  #read(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) return;
      const [type, flags] = [this.#bytes.readUInt8(3), this.#bytes.readUInt8(4)];
      const stream = this.#bytes.readUInt32BE(5);
      const payload = Buffer.from(this.#bytes.subarray(9, 9 + length));
      this.#bytes = this.#bytes.subarray(9 + length);
      const fields = new Map<string, string>();
      if (type === FrameType.HEADERS)
        this.#decoder.decode(payload, 0, length, { onField: ({ name, value }) => void fields.set(name, value) });
      this.frames.push({ type, flags, stream, payload, fields });
    }
  }
}
