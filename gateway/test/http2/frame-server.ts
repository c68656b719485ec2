/** A server that sends frames as a test writes them, legal or not, and a connection of the client role to it. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { DEFAULT_HTTP2_CLIENT_OPTIONS, type Http2ClientOptions } from "@sallyport/model/cluster";
import { eventually } from "@sallyport/testkit/eventually";
import type { FaultReason } from "@sallyport/model/fault";
import type { UpstreamConnection } from "../../src/cluster/contract.ts";
import type { AnswerReceiver, BodyFraming, BodyMode, SendOutcome, TryProgress } from "../../src/exchange/contract.ts";
import { RequestHead } from "../../src/head/request-head.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import type { ResponseHead } from "../../src/head/response-head.ts";
import { openHttp2 } from "../../src/http2/client.ts";
import { Flag, frameHeader, FrameType, PREFACE, word } from "../../src/http2/frames.ts";
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/http2/hpack/encoder.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { UNHEARD } from "../unheard.ts";

/** A frame of the client. */
export interface ClientFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  readonly fields: ReadonlyMap<string, string>;
}

const ids = new RequestIds(Buffer.alloc(9));

/** One connection as the server sees it, and as the owner of the client does. */
export class FrameServer {
  readonly frames: ClientFrame[] = [];
  readonly told: string[] = [];
  readonly capacities: number[] = [];
  readonly bugs: string[] = [];
  readonly warnings: string[] = [];
  readonly coarse = new Wheel(250);
  closed = false;
  connection!: UpstreamConnection;
  #socket: Socket | undefined = undefined;
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder({ maxTableSize: 4096, classify: () => 0 });
  #bytes: Buffer = Buffer.alloc(0);
  #prefaced = false;

  /** Listens, and opens a connection of the client role; `settings` are the payload of its first frame, undefined: it sends none. */
  static async open(
    t: TestContext,
    settings: string | undefined = "",
    http2: Partial<Http2ClientOptions> = {},
  ): Promise<FrameServer> {
    const frames = new FrameServer();
    const server = createServer({ noDelay: true }, (socket) => {
      frames.#socket = socket;
      socket.on("data", (bytes) => frames.#read(bytes));
      socket.on("error", () => undefined);
      socket.on("close", () => (frames.closed = true));
      if (settings !== undefined) frames.frame(FrameType.SETTINGS, 0, 0, settings);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    frames.connection = openHttp2(
      {
        cluster: "test/main:80",
        endpoint: { address: "127.0.0.1", port, label: `127.0.0.1:${port}`, active: () => 0, ...UNHEARD },
        tls: undefined,
        http2: { ...DEFAULT_HTTP2_CLIENT_OPTIONS, ...http2 },
        connectTimeout: 5000,
        owner: {
          onConnected: () => void frames.told.push("connected"),
          onIdle: () => void frames.told.push("idle"),
          onCapacity: ({ capacity }) => void frames.capacities.push(capacity),
          onDraining: () => void frames.told.push("draining"),
          onClosed: () => void frames.told.push("closed"),
        },
      },
      {
        clocks: { coarse: frames.coarse, fine: new Wheel(4) },
        recorder: { upstreamConnect: () => undefined, upstreamClosed: () => undefined },
        log: {
          error: (message, { error }) => void frames.bugs.push(`${message}: ${String(error)}`),
          warn: (_message, { reason }) => void frames.warnings.push(String(reason)),
        },
      },
    );
    t.after(() => {
      frames.connection.close();
      frames.#socket?.destroy();
      server.close();
    });
    await eventually(() => frames.told.includes("connected") && frames.#socket !== undefined);
    return frames;
  }

  /** Asks for something and waits until the server sees it. */
  async request(head = toHead(), framing: "none" | "stream" = "none"): Promise<Asked> {
    const asked = new Asked();
    asked.stream = this.connection.open(asked);
    asked.stream.sendHead(head, framing, "content");
    if (framing === "none") asked.stream.endBody("");
    asked.stream.flush();
    const before = this.frames.length;
    asked.id = (await this.next((frame) => frame.type === FrameType.HEADERS, before)).stream;
    return asked;
  }

  next(matches: (frame: ClientFrame) => boolean, from = 0): Promise<ClientFrame> {
    return eventually(() => this.frames.slice(from).find(matches), { what: "a frame" });
  }

  /** All that was sent is dealt with: a PING is answered behind it. */
  async settle(): Promise<void> {
    const before = this.frames.length;
    this.frame(FrameType.PING, 0, 0, "sentinel");
    await eventually(
      () => this.closed || this.frames.slice(before).some(({ type, flags }) => type === FrameType.PING && flags === 1),
    );
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket?.pause();
  }

  raw(text: string): void {
    this.#socket?.write(text, "latin1");
  }

  frame(type: number, flags: number, stream: number, payload = ""): void {
    this.raw(frameHeader(payload.length, type, flags, stream) + payload);
  }

  answer(stream: number, status = 200, lines = "", end = true): void {
    const flags = Flag.END_HEADERS | (end ? Flag.END_STREAM : 0);
    this.frame(FrameType.HEADERS, flags, stream, this.#encoder.response(status, lines));
  }

  trailers(stream: number, lines: string, end = true): void {
    const flags = Flag.END_HEADERS | (end ? Flag.END_STREAM : 0);
    this.frame(FrameType.HEADERS, flags, stream, this.#encoder.trailers(lines));
  }

  data(stream: number, text: string, end = false): void {
    this.frame(FrameType.DATA, end ? Flag.END_STREAM : 0, stream, text);
  }

  reset(stream: number, code: number): void {
    this.frame(FrameType.RST_STREAM, 0, stream, word(code));
  }

  goaway(lastId: number, code = 0): void {
    this.frame(FrameType.GOAWAY, 0, 0, word(lastId) + word(code));
  }

  end(): void {
    this.#socket?.end();
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (!this.#prefaced && this.#bytes.length >= PREFACE.length) {
      this.#prefaced = true;
      this.#bytes = this.#bytes.subarray(PREFACE.length);
    }
    while (this.#prefaced && this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) return;
      this.#note(this.#bytes.subarray(0, 9), Buffer.from(this.#bytes.subarray(9, 9 + length)));
      this.#bytes = this.#bytes.subarray(9 + length);
    }
  }

  #note(header: Buffer, payload: Buffer): void {
    const [type = 0, flags = 0, stream] = [header[3], header[4], header.readUInt32BE(5)];
    const fields = new Map<string, string>();
    if (type === FrameType.HEADERS)
      this.#decoder.decode(payload, 0, payload.length, { onField: ({ name, value }) => void fields.set(name, value) });
    this.frames.push({ type, flags, stream, payload, fields });
  }
}

/** A try, with what came of it. */
export class Asked implements AnswerReceiver {
  id = 0;
  stream!: ReturnType<UpstreamConnection["open"]>;
  readonly interim: number[] = [];
  head: ResponseHead | undefined = undefined;
  framing: BodyFraming | undefined = undefined;
  body = "";
  trailers = "";
  ends = 0;
  drains = 0;
  full = false;
  failure: readonly [FaultReason, TryProgress] | undefined = undefined;

  /** Nothing more can come. */
  get over(): boolean {
    return this.ends > 0 || this.failure !== undefined;
  }

  onInterim({ status }: ResponseHead): void {
    this.interim.push(status);
  }

  onAnswerHead(head: ResponseHead, framing: BodyFraming): BodyMode {
    this.head = head;
    this.framing = framing;
    return "content";
  }

  onAnswerBody(bytes: Buffer, from: number, to: number): SendOutcome {
    if (this.over) throw new Error("a piece behind the end");
    this.body += bytes.toString("latin1", from, to);
    return this.full ? "full" : "taken";
  }

  onAnswerEnd(trailers: string): void {
    if (this.over) throw new Error("a second end");
    this.ends++;
    this.trailers = trailers;
  }

  onAnswerTurn(): "taken" | "full" {
    return this.full ? "full" : "taken";
  }

  onUpstreamDrain(): void {
    this.drains++;
  }

  onAnswerFailed(reason: FaultReason, progress: TryProgress): void {
    if (this.over) throw new Error("a second end");
    this.failure = [reason, progress];
  }
}

/** A GET, or something else. */
export function toHead(method = "GET", upgrade = ""): RequestHead {
  const head = new RequestHead();
  const line = `${method} /p HTTP/1.1\r\n`;
  head.text = `${line}sec-websocket-key: x\r\nx-a: 1\r\n`;
  head.fieldsAt = line.length;
  head.method = method;
  head.upgrade = upgrade;
  head.settle(method === "CONNECT" ? "" : "/p", method === "CONNECT" ? "db:5432" : "a.test");
  head.identify(ids);
  return head;
}
