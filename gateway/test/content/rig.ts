/**
 * A port with policies that have a say in bodies, in front of a server that a test writes: real sockets on both sides, HTTP/1.1 and
 * HTTP/2 to clients. Clients are those of Node, which keep a body as it came.
 */
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type RequestListener,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Policy } from "@sallyport/model/policy";
import { compilePolicy } from "@sallyport/policies/registry";
import { coderRoom } from "../../src/exchange/coders.ts";
import { pageOf } from "./pages.ts";
import { openRig, type Rig, type RigOptions } from "../http1/rig.ts";

/** An answer as it came. */
export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: NodeJS.Dict<string>;
  /** Its end was seen. */
  readonly complete: boolean;
}

/** What a test asks for. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A running gateway and what is behind it. */
export class ContentRig {
  readonly rig: Rig;
  /** Requests that reached the server. */
  readonly seen: IncomingMessage[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  #session: ClientHttp2Session | undefined = undefined;

  private constructor(rig: Rig) {
    this.rig = rig;
  }

  /** Closes with the test, which must have left no coder behind. */
  static async open(
    t: TestContext,
    policies: readonly Policy[],
    serve: RequestListener,
    options: RigOptions = {},
  ): Promise<ContentRig> {
    const server = createServer({ keepAliveTimeout: 0 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const capabilities = { random: Math.random, delay: () => Promise.resolve(), page: pageOf };
    const filters = policies.map((policy) => compilePolicy(policy, capabilities));
    t.after(() => {
      content.#agent.destroy();
      content.#session?.destroy();
    });
    const rig = await openRig(t, { upstream: port, ...options, rule: { filters, ...options.rule } });
    const content = new ContentRig(rig);
    server.on("request", (incoming, outgoing) => {
      content.seen.push(incoming);
      serve(incoming, outgoing);
    });
    t.after(() => {
      server.close();
      server.closeAllConnections();
      if (coderRoom.taken !== 0) throw new Error("a coder leaked");
      if (rig.bugs.length > 0) throw new Error(rig.bugs.join("\n"));
    });
    return content;
  }

  /** Opens a request over HTTP/1.1 and leaves it to the test. */
  begin(asked: Asked = {}): ReturnType<typeof request> {
    const { method = "GET", path = "/", headers = {} } = asked;
    const options: RequestOptions = {
      host: "127.0.0.1",
      port: this.rig.port,
      agent: this.#agent,
      method,
      path,
      headers,
    };
    const opened = request(options);
    opened.on("error", () => undefined);
    return opened;
  }

  /** Over HTTP/1.1. */
  async ask(asked: Asked = {}): Promise<Received> {
    const opened = this.begin(asked);
    const answered = once(opened, "response") as Promise<[IncomingMessage]>;
    opened.end(asked.body);
    const [response] = await answered;
    return receive(response);
  }

  /** Opens a stream of HTTP/2 and leaves it to the test. */
  beginHttp2(asked: Asked = {}): ClientHttp2Stream {
    const { method = "GET", path = "/", headers = {} } = asked;
    const session = (this.#session ??= connect(`http://127.0.0.1:${this.rig.port}`));
    if (session.listenerCount("error") === 0) session.on("error", () => undefined);
    const stream = session.request({ ":method": method, ":path": path, ...headers }, { endStream: false });
    stream.on("error", () => undefined);
    return stream;
  }

  /** Over HTTP/2. */
  async askHttp2(asked: Asked = {}): Promise<Received> {
    const stream = this.beginHttp2(asked);
    const answered = once(stream, "response");
    let trailers: NodeJS.Dict<string> = {};
    stream.on("trailers", (fields: NodeJS.Dict<string>) => (trailers = fields));
    stream.end(asked.body);
    const [fields] = (await answered) as [IncomingHttpHeaders & { ":status": number }];
    const { ":status": status, ...headers } = fields;
    const { body, complete } = await collect(stream);
    return { status, headers, body, trailers, complete };
  }
}

/** Reads the rest of an answer over HTTP/1.1. */
export async function receive(response: IncomingMessage): Promise<Received> {
  const { body } = await collect(response);
  const { statusCode: status = 0, headers, trailers, complete } = response;
  return { status, headers, body, trailers, complete };
}

/** The content of an answer, decoded as it says. */
export function contentOf({ headers, body }: Pick<Received, "headers" | "body">): Buffer {
  switch (headers["content-encoding"]) {
    case undefined:
      return body;
    case "gzip":
      return gunzipSync(body);
    case "br":
      return brotliDecompressSync(body);
    case "zstd":
      return zstdDecompressSync(body);
    default:
      throw new Error(`content-encoding: ${headers["content-encoding"]}`);
  }
}

/** Text that compresses about as well as pages do. */
export function toText(length: number): Buffer {
  const words: string[] = [];
  let state = 7;
  for (let size = 0; size < length; size += 8) {
    state = (state * 48_271) % 2_147_483_647;
    words.push((state % 5000).toString(36).padEnd(8, " "));
  }
  return Buffer.from(words.join("").slice(0, length));
}

/** A server that says this. */
export function say(
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): RequestListener {
  return (incoming, outgoing: ServerResponse) => {
    incoming.resume();
    incoming.on("end", () => {
      outgoing.writeHead(status, { "content-type": "text/plain", ...headers });
      outgoing.end(body);
    });
  };
}

/** However a stream ends. */
export function closeOf(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", () => resolve());
  });
}

async function collect(stream: IncomingMessage | ClientHttp2Stream): Promise<{ body: Buffer; complete: boolean }> {
  const pieces: Buffer[] = [];
  let complete = false;
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("end", () => (complete = true));
  stream.on("error", () => undefined);
  stream.resume();
  if (!stream.closed) await closeOf(stream);
  return { body: Buffer.concat(pieces), complete };
}
