/** One exchange with the API server over HTTP/1.1: connections that are kept, a bounded number of them; watches have their own. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import type { Authorization, ServerAccess, TlsMaterial } from "./access.ts";
import type { ApiRequest } from "./contract.ts";

/** How exchanges are made. */
export interface TransportOptions {
  readonly userAgent: string;
  /** Connections for requests; watches come on top. */
  readonly mostConnections: number;
}

/** How long an exchange may be silent, in milliseconds, from the dialling on. */
export interface ExchangeLimits {
  readonly silence: number;
  readonly connection: "kept" | "own";
}

/** Silence after which the system asks whether the other side is still there, in milliseconds. */
const keepAliveProbe = 30_000;

/** Opens exchanges. */
export class Transport {
  readonly #access: ServerAccess;
  readonly #options: TransportOptions;
  #agent: HttpAgent | undefined;
  #tls: TlsMaterial = {};

  constructor(access: ServerAccess, options: TransportOptions) {
    this.#access = access;
    this.#options = options;
  }

  /** Sends a request; resolves with the head of the answer. Its body is the caller's to read. */
  async exchange(request: ApiRequest, limits: ExchangeLimits): Promise<IncomingMessage> {
    request.signal?.throwIfAborted();
    const authorization = await this.#access.authorize();
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body), "utf8");
    const options = this.#toOptions(request, authorization, limits);
    const url = toUrl(this.#access.server, request);
    return new Promise((resolve, reject) => {
      const send = url.protocol === "https:" ? httpsRequest : httpRequest;
      const sent = send(url, options);
      sent.once("response", resolve);
      // An error after the head is told to whoever reads the body.
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error(`nothing came for ${limits.silence / 1000} s`)));
      // Node frames no body of a DELETE by itself: the server would take it for the next request.
      if (body !== undefined) sent.setHeader("content-length", body.length);
      sent.end(body);
    });
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  #toOptions(request: ApiRequest, authorization: Authorization, limits: ExchangeLimits): RequestOptions {
    const { headers, tls, proxy } = authorization;
    return {
      ...tls,
      method: request.method,
      agent: proxy ?? (limits.connection === "own" ? this.#newAgent("own") : this.#keptAgent(tls)),
      timeout: limits.silence,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      headers: {
        ...headers,
        accept: toAccepted(request),
        "user-agent": this.#options.userAgent,
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
    };
  }

  /** Connections live as long as the credentials they were opened with. */
  #keptAgent(tls: TlsMaterial): HttpAgent {
    if (this.#agent !== undefined && isSame(this.#tls, tls)) return this.#agent;
    if (this.#agent !== undefined) retire(this.#agent);
    this.#tls = tls;
    this.#agent = this.#newAgent("kept");
    return this.#agent;
  }

  #newAgent(connection: "kept" | "own"): HttpAgent {
    const isKept = connection === "kept";
    const settings = {
      keepAlive: isKept,
      keepAliveMsecs: keepAliveProbe,
      maxSockets: isKept ? this.#options.mostConnections : 1,
    };
    return this.#access.server.protocol === "https:" ? new HttpsAgent(settings) : new HttpAgent(settings);
  }
}

/** The form of answers; a list is a form of its own. */
function toAccepted({ part, query }: ApiRequest): string {
  if (part === undefined) return "application/json";
  const form = query?.["watch"] === "true" ? "PartialObjectMetadata" : "PartialObjectMetadataList";
  return `application/json;as=${form};g=meta.k8s.io;v=v1`;
}

/** Closes what is idle, and makes the rest close when it is done. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function isSame(left: TlsMaterial, right: TlsMaterial): boolean {
  return (
    left.ca === right.ca &&
    left.cert === right.cert &&
    left.key === right.key &&
    left.servername === right.servername &&
    left.rejectUnauthorized === right.rejectUnauthorized
  );
}

function toUrl(server: URL, { path, query }: ApiRequest): URL {
  const url = new URL(server);
  url.pathname = server.pathname.replace(/\/$/, "") + path;
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url;
}
