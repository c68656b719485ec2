// The client's side of one kept connection: a request at a time, its answer read just far enough to tell what came. As cheap
// as it can be, since client and endpoints share a processor with each other.
import { connect, type Socket } from "node:net";
import { endpointField } from "./behaviour.ts";

/** What came of a request. */
export interface Answer {
  /** 0: no answer came. */
  readonly status: number;
  /** The port of the endpoint that answered; 0 where none says so. */
  readonly endpoint: number;
}

const NONE: Answer = { status: 0, endpoint: 0 };
const field = new RegExp(`\r\n${endpointField}: (\\d+)`, "i");

/** A connection that is kept while its answers allow. */
export class ClientConnection {
  /** Whether another request can be sent on it. */
  isUsable = true;
  readonly #socket: Socket;
  #received = "";
  #done: ((answer: Answer) => void) | undefined = undefined;

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#receive(text));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.isUsable = false;
      this.#finish(NONE);
    });
  }

  /** Sends a message; resolves when its answer is whole, or will not come. */
  ask(message: string): Promise<Answer> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.write(message, "latin1");
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    this.#received = "";
    if (/\r\nconnection: close/i.test(head)) {
      this.isUsable = false;
      this.#socket.end();
    }
    this.#finish({ status: Number(head.slice(9, 12)), endpoint: Number(field.exec(head)?.[1] ?? 0) });
  }

  #finish(answer: Answer): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(answer);
  }
}

/** Connections to one port, kept for the next request. */
export class ClientPool {
  readonly #port: number;
  readonly #idle: ClientConnection[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a message on a connection that is free, or a new one. */
  async ask(message: string): Promise<Answer> {
    const connection = this.#take();
    const answer = await connection.ask(message);
    if (connection.isUsable) this.#idle.push(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }

  #take(): ClientConnection {
    for (let connection = this.#idle.shift(); connection !== undefined; connection = this.#idle.shift()) {
      if (connection.isUsable) return connection;
    }
    return new ClientConnection(this.#port);
  }
}
