// A scriptable TCP upstream: it records every byte and every request it is sent and answers scripted bytes, right or wrong.
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { Signal } from "./signal.ts";
import { StrictReader } from "./strict-http.ts";
import type { Message } from "./strict-http.ts";

/** A thing to do that is not bytes. */
export interface Act<Name extends string> {
  readonly do: Name;
}

/**
 * One thing an answer does: write bytes (latin1), wait some milliseconds, wait for the whole request, end its side,
 * reset the connection, stop reading, read again, or become an echoing tunnel.
 */
export type AnswerStep =
  | string
  | { readonly pause: number }
  | Act<"await-request" | "end" | "reset" | "stop-reading" | "read" | "echo">;

/** How one request is answered: as soon as its head is there, or once it is complete. */
export interface Answer {
  readonly when: "head" | "complete";
  readonly steps: readonly AnswerStep[];
}

/** One accepted connection and what came over it. */
export interface UpstreamConnection {
  readonly id: number;
  readonly socket: Socket;
  readonly reader: StrictReader;
  /** Every byte received, latin1. */
  received: string;
  /** The peer sent its FIN. */
  ended: boolean;
  /** Gone in both directions. */
  closed: boolean;
  /** It was reset rather than ended. */
  reset: boolean;
}

/** A request and the connection it came over. */
export interface SeenRequest {
  readonly message: Message;
  readonly connection: UpstreamConnection;
}

/** Chooses the answer to a request; `index` counts all requests since the script was set. */
export type Script = (request: Message, index: number) => Answer;

/** Listens on loopback, port 0 unless given. */
export class RawUpstream {
  readonly signal = new Signal();
  connections: UpstreamConnection[] = [];
  /** Requests whose head came, in order, since the script was set. */
  requests: SeenRequest[] = [];
  readonly #server: Server;
  #script: Script;
  #opened = 0;

  private constructor(server: Server, script: Script) {
    this.#server = server;
    this.#script = script;
    server.on("connection", (socket) => this.#accept(socket));
  }

  static async open(script: Script, port = 0): Promise<RawUpstream> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const upstream = new RawUpstream(server, script);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    return upstream;
  }

  get port(): number {
    // A listening TCP server's address is never a string or null.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Forgets what was seen and answers from now on as `script` says; only idle connections stay. */
  begin(script: Script): void {
    this.#script = script;
    this.requests = [];
    for (const { reader, socket } of this.connections) if (!reader.idle) socket.destroy();
    this.connections = this.connections.filter(({ socket }) => !socket.destroyed);
  }

  /** Stops listening; established connections stay. */
  async refuse(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.connections) connection.socket.destroy();
    });
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(socket: Socket): void {
    const reader = new StrictReader({
      role: "request",
      onHead: (message) => this.#seen(connection, message),
      onMessage: (message) => this.#completed(connection, message),
    });
    const connection: UpstreamConnection = {
      id: ++this.#opened,
      socket,
      reader,
      received: "",
      ended: false,
      closed: false,
      reset: false,
    };
    this.connections.push(connection);
    socket.on("data", (bytes) => {
      connection.received += bytes.toString("latin1");
      reader.push(bytes);
      this.signal.changed();
    });
    socket.on("end", () => {
      connection.ended = true;
      reader.end();
      this.signal.changed();
      // An idle connection is ended as a server would; a request in work still gets its answer.
      if (reader.idle) socket.end();
    });
    socket.on("error", () => {
      connection.reset = true;
    });
    socket.on("close", () => {
      connection.closed = true;
      this.signal.changed();
    });
    this.signal.changed();
  }

  #seen(connection: UpstreamConnection, message: Message): void {
    const answer = this.#script(message, this.requests.length);
    this.requests.push({ message, connection });
    this.#answers.set(message, answer);
    if (answer.when === "head") void this.#perform(connection, message, answer.steps);
  }

  readonly #answers = new WeakMap<Message, Answer>();

  #completed(connection: UpstreamConnection, message: Message): void {
    const answer = this.#answers.get(message);
    if (answer?.when === "complete") void this.#perform(connection, message, answer.steps);
  }

  async #perform(connection: UpstreamConnection, message: Message, steps: readonly AnswerStep[]): Promise<void> {
    const { socket } = connection;
    for (const step of steps) {
      if (socket.destroyed) return;
      if (typeof step === "string") socket.write(step, "latin1");
      else if ("pause" in step) await this.signal.until(() => socket.destroyed, step.pause);
      else if (step.do === "await-request") await this.signal.until(() => message.complete || socket.destroyed, 5000);
      else act(step.do, connection);
    }
  }
}

function act(name: "end" | "reset" | "stop-reading" | "read" | "echo", { socket, reader }: UpstreamConnection): void {
  switch (name) {
    case "end":
      socket.end();
      return;
    case "reset":
      socket.resetAndDestroy();
      return;
    case "stop-reading":
      socket.pause();
      return;
    case "read":
      socket.resume();
      return;
    case "echo":
      reader.openTunnel();
      socket.on("data", (bytes) => socket.write(bytes));
      socket.on("end", () => socket.end());
  }
}
