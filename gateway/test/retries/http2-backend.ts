/** A backend over HTTP/2 in cleartext, by Node's own implementation, that does with each stream what a test says. */
import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

/** What is done with a stream. */
export type Turn = (stream: ServerHttp2Stream) => void;

/** One that goes away with its test. */
export class Http2Backend implements AsyncDisposable {
  readonly port: number;
  /** Bodies of the requests that came whole or in part, in order. */
  readonly bodies: string[] = [];
  /** Streams of connections, in order of the connections. */
  readonly sessions: ServerHttp2Session[] = [];
  readonly #server: Http2Server;

  private constructor(server: Http2Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Does these in turn, the last one again and again, when a request is complete. */
  static async open(...turns: readonly Turn[]): Promise<Http2Backend> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const backend = new Http2Backend(server, typeof address === "object" && address !== null ? address.port : 0);
    server.on("session", (session) => {
      backend.sessions.push(session);
      session.on("error", () => undefined);
    });
    server.on("stream", (stream) => backend.#serve(stream, turns));
    return backend;
  }

  /** How many requests came. */
  get count(): number {
    return this.bodies.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(stream: ServerHttp2Stream, turns: readonly Turn[]): void {
    const at = this.bodies.push("") - 1;
    stream.on("error", () => undefined);
    stream.on("data", (bytes: Buffer) => (this.bodies[at] += bytes.toString("latin1")));
    stream.on("end", () => turns[Math.min(at, turns.length - 1)]?.(stream));
  }
}

/** Answers so. */
export function answer(status: number, body = "ok", fields: Readonly<Record<string, string>> = {}): Turn {
  return (stream) => {
    stream.respond({ ":status": status, ...fields });
    stream.end(body);
  };
}

/** Resets the stream. */
export function reset(code: number): Turn {
  return (stream) => stream.close(code);
}
