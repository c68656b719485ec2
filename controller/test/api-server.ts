// An API server for tests: HTTPS on loopback, resources from ModelStores, and a script of answers that come before what it would say.
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAuthority } from "@sallyport/testkit/certs";
import { ApiFailure } from "../src/api/contract.ts";
import { ModelStore } from "./model-store.ts";

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Subject of the client certificate; "" without one. */
  readonly client: string;
}

/** Answers a request instead of the server; false leaves it to the server. */
export type Script = (request: SeenRequest, answer: ServerResponse) => boolean;

/** A running server. */
export class TestApiServer implements AsyncDisposable {
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  readonly clientCertificate: { readonly cert: string; readonly key: string };
  readonly seen: SeenRequest[] = [];
  script: Script = () => false;
  readonly #server: Server;
  readonly #stores = new Map<string, ModelStore>();
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<() => void>();

  private constructor(server: Server, ca: string, clientCertificate: TestApiServer["clientCertificate"]) {
    this.#server = server;
    this.ca = ca;
    this.clientCertificate = clientCertificate;
    server.on("request", (request: IncomingMessage, answer: ServerResponse) => void this.#serve(request, answer));
    server.on("secureConnection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<TestApiServer> {
    const authority = await createAuthority();
    const [own, client] = await Promise.all([
      authority.issue({ names: ["127.0.0.1"] }),
      authority.issue({ names: [], commonName: "someone", usage: "client" }),
    ]);
    const server = createServer({ ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: false });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TestApiServer(server, authority.cert, client);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** The resource at a path; without one the server does not know it. */
  serve(path: string, store = new ModelStore()): ModelStore {
    this.#stores.set(path, store);
    return store;
  }

  /** The server no longer knows the resource. */
  unserve(path: string): void {
    this.#stores.delete(path);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Resolves when a request that passes the test has come; those of before count. */
  async request(test: (request: SeenRequest) => boolean): Promise<SeenRequest> {
    for (;;) {
      const found = this.seen.find((request) => test(request));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const seen = await read(request);
    if (seen === undefined) return;
    this.seen.push(seen);
    for (const listener of this.#listeners) listener();
    if (this.script(seen, answer)) return;
    const store = this.#stores.get(seen.url.pathname);
    if (store === undefined) {
      answer.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
      return;
    }
    try {
      const query = Object.fromEntries(seen.url.searchParams);
      if (query["watch"] === "true") watch(store, Number(query["resourceVersion"]), answer);
      else {
        const { limit, continue: token } = query;
        const page = store.list({
          ...(limit === undefined ? {} : { limit: Number(limit) }),
          ...(token === undefined ? {} : { continue: token }),
        });
        sendJson(answer, 200, page);
      }
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      sendJson(answer, error.status, { kind: "Status", message: error.message, reason: error.reason });
    }
  }
}

/** Answers with an object. */
export function sendJson(answer: ServerResponse, status: number, value: unknown, headers = {}): void {
  answer.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

async function read(request: IncomingMessage): Promise<SeenRequest | undefined> {
  let body = "";
  try {
    for await (const bytes of request) body += String(bytes);
  } catch {
    return undefined;
  }
  const { method = "", url = "", headers, socket } = request;
  const certificate = "getPeerCertificate" in socket ? (socket as TlsLike).getPeerCertificate() : undefined;
  const client = certificate?.subject?.CN ?? "";
  return { method, url: new URL(url, "https://server"), headers, body, client };
}

interface TlsLike {
  getPeerCertificate(): { readonly subject?: { readonly CN?: string } };
}

function watch(store: ModelStore, from: number, answer: ServerResponse): void {
  let version = from;
  store.since(version);
  answer.writeHead(200, { "content-type": "application/json" });
  answer.flushHeaders();
  const send = (): void => {
    for (const change of store.since(version)) {
      version = change.version;
      answer.write(`${JSON.stringify(change.event)}\n`);
    }
  };
  answer.once("close", store.onChange(send));
  send();
}
