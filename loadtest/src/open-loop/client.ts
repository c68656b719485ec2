// Connections of the open-loop client: takes arrivals, sends each on a free connection or lets it wait, and notes when its
// answer was complete. Waiting for a connection is part of the latency.
import type { Socket } from "node:net";
import { monotonicMs } from "./clock.ts";
import type { Conversation, Dialect } from "./dialect.ts";
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
  conversation: Conversation;
  /** When the request under way arrived; negative while there is none. */
  arrivedMs: number;
}

/** What a client sends, and over what. */
export interface OpenLoop {
  readonly opener: Opener;
  readonly dialect: Dialect;
  /** As HTTP/1.1 messages. */
  readonly requests: readonly string[];
  readonly connections: number;
}

/** A fixed number of keep-alive connections, each with one request at a time. */
export class OpenLoopClient {
  readonly #opener: Opener;
  readonly #dialect: Dialect;
  readonly #requests: readonly Buffer[];
  readonly #connections: Connection[] = [];
  readonly #idle: Connection[] = [];
  readonly #queue: number[] = [];
  readonly #latencies: number[] = [];
  #sent = 0;
  #failures = 0;
  #longestQueue = 0;
  #ended = false;

  private constructor(opener: Opener, dialect: Dialect, requests: readonly string[]) {
    this.#opener = opener;
    this.#dialect = dialect;
    this.#requests = requests.map((request) => dialect.encode(request));
  }

  /** Opens all connections; rejects when one cannot be opened. */
  static async open({ opener, dialect, requests, connections }: OpenLoop): Promise<OpenLoopClient> {
    const client = new OpenLoopClient(opener, dialect, requests);
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
    if (request !== undefined) connection.socket.write(connection.conversation.next(request));
  }

  async #openConnection(): Promise<void> {
    const connection = this.#newConnection();
    this.#connections.push(connection);
    await new Promise<void>((resolve, reject) => {
      connection.socket.once(this.#opener.openEvent, resolve);
      connection.socket.once("error", reject);
    });
    greet(connection);
    this.#idle.push(connection);
  }

  #newConnection(): Connection {
    const connection: Connection = {
      socket: this.#newSocket(() => connection),
      conversation: this.#dialect.begin((bytes) => connection.socket.write(bytes)),
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
    const progress = connection.conversation.push(bytes);
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
    connection.conversation = this.#dialect.begin((bytes) => connection.socket.write(bytes));
    connection.socket = this.#newSocket(() => connection);
    connection.socket.once(this.#opener.openEvent, () => {
      greet(connection);
      this.#release(connection);
    });
  }
}

function greet({ socket, conversation }: Connection): void {
  if (conversation.opening.length > 0) socket.write(conversation.opening);
}
