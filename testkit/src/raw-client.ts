// A client that sends the very bytes it is given, in the pieces it is given, and reads the answers strictly.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { Signal } from "./signal.ts";
import { StrictReader } from "./strict-http.ts";
import type { Message } from "./strict-http.ts";

/** Where to connect, and which answers (counted from 0, interim ones not counted) belong to a HEAD. */
export interface RawClientOptions {
  readonly port: number;
  readonly host?: string;
  readonly heads?: readonly number[];
  /** Stop the kernel from taking more than this; the client then reads only on `resume()`. */
  readonly paused?: boolean;
  /** Speak TLS (any certificate will do), with this server name. */
  readonly secure?: string;
}

/** How the connection stands from the client's side. */
export type ClientState = "open" | "ended" | "reset";

/** One raw connection to the system under test. */
export class RawClient {
  readonly signal = new Signal();
  readonly reader: StrictReader;
  readonly socket: Socket;
  /** Every byte received, latin1. */
  received = "";
  state: ClientState = "open";
  #closed = false;

  private constructor(socket: Socket, heads: readonly number[], paused: boolean) {
    this.socket = socket;
    this.reader = new StrictReader({ role: "response", bodyless: (_response, index) => heads.includes(index) });
    socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
      this.reader.push(bytes);
      this.signal.changed();
    });
    if (paused) socket.pause();
    socket.on("end", () => {
      if (this.state === "open") this.state = "ended";
      this.reader.end();
      this.signal.changed();
    });
    socket.on("error", () => {
      // A RST behind a FIN (bytes we sent after it) is no news.
      if (this.state === "open") this.state = "reset";
      this.signal.changed();
    });
    socket.on("close", () => {
      this.#closed = true;
      if (this.state === "open") this.state = "ended";
      this.signal.changed();
    });
  }

  static async open(options: RawClientOptions): Promise<RawClient> {
    const host = options.host ?? "127.0.0.1";
    const { port, secure } = options;
    const half = { port, host, allowHalfOpen: true };
    const socket =
      secure === undefined
        ? connect(half)
        : connectSecurely({ ...half, servername: secure, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      socket.once(secure === undefined ? "connect" : "secureConnect", resolve);
      socket.once("error", reject);
    });
    socket.setNoDelay(true);
    socket.removeAllListeners("error");
    return new RawClient(socket, options.heads ?? [], options.paused ?? false);
  }

  /** Final responses in order. */
  get responses(): readonly Message[] {
    return this.reader.messages.filter((message) => message.status >= 200);
  }

  /** Interim responses in order. */
  get interim(): readonly Message[] {
    return this.reader.messages.filter((message) => message.status < 200);
  }

  /** Gone, in both directions. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the bytes (latin1) are with the kernel or the connection is gone. */
  send(bytes: string): Promise<void> {
    if (this.socket.destroyed || this.socket.writableEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.socket.write(bytes, "latin1", () => resolve());
    });
  }

  /** Ends this side; the other may still answer. */
  end(): void {
    this.socket.end();
  }

  /** Sends a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }
}
