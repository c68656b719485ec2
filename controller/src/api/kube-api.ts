/** The KubeApi over HTTPS: finds the server, proves who we are, waits where the server asks for it, says clearly what failed. */
import { accessSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isRecord } from "../kube/field-path.ts";
import type { ServerAccess } from "./access.ts";
import type { ApiEvent, ApiRequest, KubeApi } from "./contract.ts";
import { EventLines } from "./event-lines.ts";
import { toAnswerFailure, toConnectionFailure } from "./failure.ts";
import { openKubeconfig } from "./kubeconfig.ts";
import { RateLimit } from "./rate-limit.ts";
import type { RateLimits } from "./rate-limit.ts";
import { RetryPlan } from "./retry-plan.ts";
import { openServiceAccount, SERVICE_ACCOUNT_DIRECTORY } from "./service-account.ts";
import { Transport } from "./transport.ts";
import type { ExchangeLimits } from "./transport.ts";

/** How the API server is found and spoken with. */
export interface KubeApiOptions {
  /** Version of the program, for `User-Agent: sallyport-controller/VERSION`. */
  readonly version: string;
  /** Kubeconfig file; absent: `KUBECONFIG`, else the pod's service account, else `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** Requests per second and burst; watches count once, when they begin. */
  readonly rate?: RateLimits;
  /** How long a request may be silent, in milliseconds. */
  readonly silence?: number;
  /** How long a watch may be silent, in milliseconds; servers send a bookmark about every minute. */
  readonly watchSilence?: number;
  /** The service account's directory, if it is not mounted where kubelets do. */
  readonly serviceAccount?: string;
}

/** A KubeApi with connections of its own. */
export interface OpenKubeApi extends KubeApi {
  /** Where the API server is, for logs. */
  readonly server: string;
  /** Ends the connections that are kept; requests under way fail. */
  close(): void;
}

const defaultRate: RateLimits = { perSecond: 50, burst: 100 };
const defaultSilence = 30_000;
const defaultWatchSilence = 300_000;
const mostConnections = 16;

/** Longest answer, in bytes: pages of lists are the longest there are. */
const longestAnswer = 128 * 1024 * 1024;

/** Longest part of a refusal that is read, in bytes. */
const longestRefusal = 64 * 1024;

/** Finds the API server and the credentials for it. Rejects with an ApiFailure where there are none. Sends nothing yet. */
export async function openKubeApi(options: KubeApiOptions): Promise<OpenKubeApi> {
  return new HttpKubeApi(await openAccess(options), options);
}

async function openAccess(options: KubeApiOptions): Promise<ServerAccess> {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (options.kubeconfig !== undefined) return openKubeconfig(options.kubeconfig);
  const directory = options.serviceAccount ?? SERVICE_ACCOUNT_DIRECTORY;
  const isNamed = KUBECONFIG !== undefined && KUBECONFIG !== "";
  if (!isNamed && host !== undefined && port !== undefined && exists(join(directory, "token")))
    return openServiceAccount({ directory, host, port });
  return openKubeconfig();
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

class HttpKubeApi implements OpenKubeApi {
  readonly #access: ServerAccess;
  readonly #transport: Transport;
  readonly #rate: RateLimit;
  readonly #silence: number;
  readonly #watchSilence: number;

  constructor(access: ServerAccess, options: KubeApiOptions) {
    this.#access = access;
    const userAgent = `sallyport-controller/${options.version}`;
    this.#transport = new Transport(access, { userAgent, mostConnections });
    this.#rate = new RateLimit(options.rate ?? defaultRate, performance.now());
    this.#silence = options.silence ?? defaultSilence;
    this.#watchSilence = options.watchSilence ?? defaultWatchSilence;
  }

  get server(): string {
    return this.#access.server.href;
  }

  async send(request: ApiRequest): Promise<Readonly<Record<string, unknown>>> {
    return this.#persist(request, async () => {
      const answer = await this.#open(request, { silence: this.#silence, connection: "kept" });
      const value: unknown = JSON.parse(await readBody(answer, longestAnswer));
      if (!isRecord(value)) throw new Error("what came is no object");
      return value;
    });
  }

  async watch(request: ApiRequest, onEvent: (event: ApiEvent) => void): Promise<void> {
    const limits = { silence: this.#watchSilence, connection: "own" } as const;
    const answer = await this.#persist(request, async () => this.#open(request, limits));
    const lines = new EventLines(onEvent);
    try {
      for await (const bytes of answer) lines.push(toBuffer(bytes));
    } catch (cause) {
      if (request.signal?.aborted === true) return;
      throw toConnectionFailure(this.#access.server, request, cause);
    }
  }

  close(): void {
    this.#transport.close();
  }

  /** Tries again as long as that is sensible. */
  async #persist<T>(request: ApiRequest, attempt: () => Promise<T>): Promise<T> {
    const plan = new RetryPlan(request.method, Math.random);
    for (;;) {
      try {
        if (request.urgent !== true) await pause(this.#rate.take(performance.now()), request.signal);
        return await attempt();
      } catch (cause) {
        const failure = toConnectionFailure(this.#access.server, request, cause);
        const wait = request.signal?.aborted === true ? undefined : plan.next(failure);
        if (wait === undefined) throw failure;
        if (failure.status === 401) this.#access.forget();
        await pause(wait, request.signal).catch(() => Promise.reject(failure));
      }
    }
  }

  /** An answer that is a success; throws the failure that any other one tells. */
  async #open(request: ApiRequest, limits: ExchangeLimits): Promise<IncomingMessage> {
    const answer = await this.#transport.exchange(request, limits);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const body = await readBody(answer, longestRefusal).catch(() => "");
    throw toAnswerFailure(this.#access.server, request, { status, headers: answer.headers, body });
  }
}

async function pause(millis: number, signal: AbortSignal | undefined): Promise<void> {
  if (millis > 0) await delay(millis, undefined, signal === undefined ? {} : { signal });
}

async function readBody(answer: IncomingMessage, longest: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const bytes of answer) {
    const piece = toBuffer(bytes);
    length += piece.length;
    if (length > longest) throw new Error(`the answer has more than ${longest} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length).toString("utf8");
}

/** Node gives bytes as long as nobody asks it to decode. */
function toBuffer(bytes: unknown): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  throw new TypeError("not bytes");
}
