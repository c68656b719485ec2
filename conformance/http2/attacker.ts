// A client of HTTP/2 that sends what it is told and keeps no rule: it only notes what comes back.
import { connect, type Socket } from "node:net";
import { Signal } from "@sallyport/testkit/signal";
import { FLAG, frame, PREFACE, SETTING, settings, TYPE } from "./frames.ts";

/** How long a test waits for one event before it calls it a hang. Milliseconds. */
export const PATIENCE = 10_000;

/** What came back on one stream. */
export interface StreamOutcome {
  /** 0 where no head came. */
  status: number;
  /** Octets of DATA. */
  received: number;
  /** The code of RST_STREAM; -1 where none came. */
  reset: number;
  ended: boolean;
}

/** One connection. */
export class Attacker {
  readonly signal = new Signal();
  readonly socket: Socket;
  readonly streams = new Map<number, StreamOutcome>();
  /** How many frames of each type came. */
  readonly counts = new Map<number, number>();
  /** The code of the last GOAWAY; -1 where none came. */
  goaway = -1;
  closed = false;
  /** What came, where the connection is not one of HTTP/2. */
  text = "";
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket, speaks: "frames" | "text") {
    this.socket = socket;
    socket.on("data", (bytes) => {
      if (speaks === "frames") this.#read(bytes);
      else this.text += bytes.toString("latin1");
      this.signal.changed();
    });
    // a reset while we write is one way to be shown the door
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      this.signal.changed();
    });
    socket.on("drain", () => this.signal.changed());
  }

  /** Connects in clear text with prior knowledge, and sends preface and SETTINGS: no table, so that answers are literals. */
  static async open(port: number, ...more: readonly (readonly [id: number, value: number])[]): Promise<Attacker> {
    const attacker = await Attacker.#connect(port, "frames");
    attacker.send(Buffer.from(PREFACE), settings([SETTING.tableSize, 0], ...more), frame(TYPE.settings, FLAG.ack, 0));
    return attacker;
  }

  /** Connects, and sends this text. */
  static async openRaw(port: number, text: string): Promise<Attacker> {
    const attacker = await Attacker.#connect(port, "text");
    attacker.send(Buffer.from(text, "latin1"));
    return attacker;
  }

  static async #connect(port: number, speaks: "frames" | "text"): Promise<Attacker> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const attacker = new Attacker(socket, speaks);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return attacker;
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** Sends what `make` returns so many times, no faster than it is taken, until the connection is ended. Returns how often. */
  async flood(times: number, make: (round: number) => Buffer): Promise<number> {
    for (let round = 0; round < times; round++) {
      if (this.over) return round;
      this.send(make(round));
      if (this.socket.writableLength > 1 << 16)
        await this.signal.until(() => this.socket.writableLength === 0 || this.over, PATIENCE);
      else if (round % 64 === 63) await new Promise(setImmediate);
    }
    return times;
  }

  /** The connection is ended, or about to be. */
  get over(): boolean {
    return this.closed || this.goaway >= 0;
  }

  stream(id: number): StreamOutcome {
    let stream = this.streams.get(id);
    if (stream === undefined) {
      stream = { status: 0, received: 0, reset: -1, ended: false };
      this.streams.set(id, stream);
    }
    return stream;
  }

  count(type: number): number {
    return this.counts.get(type) ?? 0;
  }

  /** Waits for the end of a stream, however it comes; the connection's end is one, too. */
  async outcome(id: number): Promise<StreamOutcome> {
    const stream = this.stream(id);
    await this.signal.require(
      () => stream.ended || stream.reset >= 0 || this.over,
      PATIENCE,
      `the end of stream ${id}`,
    );
    return stream;
  }

  close(): void {
    this.socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      this.#note(this.#rest[3] ?? 0, this.#rest[4] ?? 0, this.#rest.subarray(5, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  /** `bytes`: the stream's id and the payload. */
  #note(type: number, flags: number, bytes: Buffer): void {
    this.counts.set(type, this.count(type) + 1);
    const id = bytes.readUInt32BE(0);
    if (type === TYPE.goaway) this.goaway = bytes.readUInt32BE(8);
    if (type === TYPE.reset) this.stream(id).reset = bytes.readUInt32BE(4);
    if (type === TYPE.data) this.stream(id).received += bytes.length - 4;
    if (type === TYPE.headers && this.stream(id).status === 0) this.stream(id).status = readStatus(bytes.subarray(4));
    if ((type === TYPE.data || type === TYPE.headers) && (flags & FLAG.endStream) !== 0) this.stream(id).ended = true;
  }
}

const STATIC_STATUS = [200, 204, 206, 304, 400, 404, 500];

/** The first field, behind updates of the table's size: from the static table, or a literal. */
function readStatus(block: Buffer): number {
  let at = 0;
  while (((block[at] ?? 0) & 0xe0) === 0x20) at++;
  const first = block[at] ?? 0;
  if (first >= 0x80) return STATIC_STATUS[(first & 127) - 8] ?? -1;
  return Number(block.toString("latin1", at + 2, at + 5));
}
