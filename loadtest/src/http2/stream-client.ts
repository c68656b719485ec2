// A client that opens many streams on one connection and counts how they end.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  clientPreface,
  frame,
  FrameCutter,
  frameFlags,
  frameTypes,
  onStream,
  saysOk,
  type ReceivedFrame,
} from "./frames.ts";

/** One connection in the clear, by prior knowledge. */
export class StreamClient {
  /** Streams that ended with status 200 and all the bytes they were to have. */
  completed = 0;
  /** Why the first thing that failed did; empty for nothing. */
  failure = "";
  readonly #socket: Socket;
  readonly #bodyBytes: number;
  /** Bytes still to come, by stream. */
  readonly #open = new Map<number, number>();
  /** Streams whose head said 200. */
  readonly #answered = new Set<number>();
  #next = 1;

  private constructor(socket: Socket, bodyBytes: number) {
    this.#socket = socket;
    this.#bodyBytes = bodyBytes;
    const cutter = new FrameCutter((received) => this.#receive(received));
    socket.on("data", (bytes: Buffer) => cutter.push(bytes));
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => {
      if (this.#open.size > 0) this.#fail(`the connection was closed with ${this.#open.size} streams open`);
    });
  }

  /** Opens a connection to a port of this machine; every answer is to have a body of so many bytes. */
  static async open(port: number, bodyBytes: number): Promise<StreamClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const client = new StreamClient(socket, bodyBytes);
    socket.write(clientPreface());
    return client;
  }

  /** Streams without an end yet. */
  get open(): number {
    return this.#open.size;
  }

  /** Opens one more stream with the frames of this request. */
  send(frames: Buffer): void {
    this.#open.set(this.#next, this.#bodyBytes);
    this.#socket.write(onStream(frames, this.#next));
    this.#next += 2;
  }

  close(): void {
    this.#open.clear();
    this.#socket.destroy();
  }

  #receive(received: ReceivedFrame): void {
    const { type, flags, stream, payload } = received;
    switch (type) {
      case frameTypes.settings:
        if ((flags & frameFlags.ack) === 0) this.#socket.write(frame(frameTypes.settings, frameFlags.ack, 0));
        return;
      case frameTypes.ping:
        if ((flags & frameFlags.ack) === 0) this.#socket.write(frame(frameTypes.ping, frameFlags.ack, 0, payload));
        return;
      case frameTypes.goAway:
        this.#fail(`GOAWAY with code ${payload.readUInt32BE(4)}`);
        return;
      case frameTypes.reset:
        this.#open.delete(stream);
        this.#fail(`stream ${stream} was reset with code ${payload.readUInt32BE(0)}`);
        return;
      case frameTypes.headers:
      case frameTypes.data:
        this.#receiveAnswer(received);
    }
  }

  #receiveAnswer(received: ReceivedFrame): void {
    const { type, flags, stream, payload } = received;
    const left = this.#open.get(stream);
    if (left === undefined) {
      this.#fail(`an answer on stream ${stream}, which is not open`);
      return;
    }
    const after = type === frameTypes.data ? left - payload.length : left;
    this.#open.set(stream, after);
    // The second HEADERS of a stream are its trailers.
    if (type === frameTypes.headers && !this.#answered.has(stream)) {
      this.#answered.add(stream);
      if (!saysOk(received)) this.#fail(`stream ${stream} was answered with another status than 200`);
    }
    if ((flags & frameFlags.endStream) === 0) return;
    this.#open.delete(stream);
    this.#answered.delete(stream);
    if (after === 0) this.completed++;
    else this.#fail(`stream ${stream} ended ${after} bytes short`);
  }

  #fail(reason: string): void {
    this.failure ||= reason;
  }
}
