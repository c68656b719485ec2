// Connections of the open-loop client: takes arrivals, sends each on a free connection or lets it wait, and notes when its
// answer was complete. Waiting for a connection is part of the latency.
import type { Socket } from "node:net";
import { monotonicMs } from "./clock.ts";
import { AnswerReader } from "./answer-reader.ts";
import type { Opener } from "./opener.ts";

/** What the client counted; times in milliseconds. */
export interface ClientTotals {
  readonly latencies: readonly number[];
  readonly failures: number;
  /** Arrivals whose answer had not come when the run was ended. */
  readonly unanswered: number;
  /** The most arrivals that waited for a connection at once. */
  readonly longestQueue: number;
}

interface Connection {
  socket: Socket;
  reader: AnswerReader;
  /** When the request under way arrived; negative while there is none. */
  arrivedMs: number;
}

/** A fixed number of keep-alive connections. */
export class OpenLoopClient {
  readonly #opener: Opener;
  readonly #requests: readonly Buffer[];
  readonly #connections: Connection[] = [];
  readonly #idle: Connection[] = [];
  readonly #queue: number[] = [];
  readonly #latencies: number[] = [];
  #sent = 0;
  #failures = 0;
  #longestQueue = 0;
  #ended = false;

  private constructor(opener: Opener, requests: readonly Buffer[]) {
    this.#opener = opener;
    this.#requests = requests;
  }

  /** Opens all connections; rejects when one cannot be opened. */
  static async open(opener: Opener, requests: readonly Buffer[], connections: number): Promise<OpenLoopClient> {
    const client = new OpenLoopClient(opener, requests);
    await Promise.all(Array.from({ length: connections }, () => client.#openConnection()));
    return client;
  }

  /** A request arrives now. */
  arrive(nowMs: number): void {
    // The longest idle connection first, so that the load spreads over all of them as many clients' would.
    const connection = this.#idle.shift();
    if (connection !== undefined) {
      this.#send(connection, nowMs);
      return;
    }
    this.#queue.push(nowMs);
    this.#longestQueue = Math.max(this.#longestQueue, this.#queue.length);
  }

  /** Arrivals that have no answer yet. */
  pending(): number {
    return this.#queue.length + this.#connections.filter((connection) => connection.arrivedMs >= 0).length;
  }

  /** Forgets what was counted so far: the end of the warm-up. */
  reset(): void {
    this.#latencies.length = 0;
    this.#failures = 0;
    this.#longestQueue = 0;
  }

  /** Closes everything; what has no answer by now is counted with the time it has waited, not left out. */
  end(): ClientTotals {
    this.#ended = true;
    const now = monotonicMs();
    const open = this.#connections.filter((connection) => connection.arrivedMs >= 0).map(({ arrivedMs }) => arrivedMs);
    const unanswered = [...this.#queue, ...open].map((arrivedMs) => now - arrivedMs);
    for (const { socket } of this.#connections) socket.destroy();
    return {
      latencies: [...this.#latencies, ...unanswered],
      failures: this.#failures,
      unanswered: unanswered.length,
      longestQueue: this.#longestQueue,
    };
  }

  #send(connection: Connection, arrivedMs: number): void {
    connection.arrivedMs = arrivedMs;
    const request = this.#requests[this.#sent++ % this.#requests.length];
    if (request !== undefined) connection.socket.write(request);
  }

  async #openConnection(): Promise<void> {
    const connection = this.#newConnection();
    this.#connections.push(connection);
    await new Promise<void>((resolve, reject) => {
      connection.socket.once(this.#opener.openEvent, resolve);
      connection.socket.once("error", reject);
    });
    this.#idle.push(connection);
  }

  #newConnection(): Connection {
    const connection: Connection = {
      socket: this.#newSocket(() => connection),
      reader: new AnswerReader(),
      arrivedMs: -1,
    };
    return connection;
  }

  #newSocket(owner: () => Connection): Socket {
    const socket = this.#opener.open((bytes) => this.#receive(owner(), bytes));
    socket.on("error", () => {});
    socket.on("close", () => this.#replace(owner(), socket));
    return socket;
  }

  #receive(connection: Connection, bytes: Buffer): void {
    const progress = connection.reader.push(bytes);
    if (progress.kind === "more") return;
    if (progress.kind === "invalid" || connection.arrivedMs < 0) {
      connection.socket.destroy();
      return;
    }
    this.#latencies.push(monotonicMs() - connection.arrivedMs);
    if (progress.status >= 400) this.#failures++;
    this.#release(connection);
  }

  #release(connection: Connection): void {
    connection.arrivedMs = -1;
    const waiting = this.#queue.shift();
    if (waiting === undefined) this.#idle.push(connection);
    else this.#send(connection, waiting);
  }

  // A connection that the proxy closed is opened again; the request it carried has failed.
  #replace(connection: Connection, socket: Socket): void {
    if (this.#ended || connection.socket !== socket) return;
    const idleAt = this.#idle.indexOf(connection);
    if (idleAt >= 0) this.#idle.splice(idleAt, 1);
    if (connection.arrivedMs >= 0) {
      this.#failures++;
      this.#latencies.push(monotonicMs() - connection.arrivedMs);
      connection.arrivedMs = -1;
    }
    connection.reader = new AnswerReader();
    connection.socket = this.#newSocket(() => connection);
    connection.socket.once(this.#opener.openEvent, () => this.#release(connection));
  }
}
