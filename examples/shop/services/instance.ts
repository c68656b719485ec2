/**
 * What the shop's services share: several instances of one service in a process, each on its own port, and a back door on
 * another port by which an instance is made to misbehave. The gateway has no route to the back door.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Back, openBackDoor } from "./back-door.ts";
import { type Behaviour, WELL } from "./behaviour.ts";

const HOST = "127.0.0.1";
/** Instances keep idle connections longer than the gateway does, so that it is never they who close one as it is used. */
const KEEP_ALIVE_MS = 75_000;
const LARGEST_BODY = 8 * 1024 * 1024;
const HEALTH = "/-/health";

/** A request as an instance sees it. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Its answer; `body` is sent as JSON unless it is a text. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a service does; made once for each instance, so that it can keep what only that instance knows. */
export type MakeService = (instance: string) => (question: Question) => Answer;

/** Runs `node services/NAME.ts BACK_DOOR_PORT PORT...`: an instance for each port. Says where they are once all listen. */
export async function runService(name: string, make: MakeService): Promise<void> {
  const [door = 0, ...ports] = process.argv.slice(2).map(Number);
  if (ports.length === 0) {
    console.error(`usage: node ${name}.ts BACK_DOOR_PORT PORT...`);
    process.exit(2);
  }
  const instances = ports.map((port, index) => new Instance(`${name}-${index + 1}`, port, make));
  for (const instance of instances) await instance.listen();
  await openBackDoor(door, instances);
  console.log(
    `${instances.map((instance) => `${instance.name} on ${instance.port}`).join(", ")}; back door on ${door}`,
  );
}

/** One instance: a server that behaves as it is told to. */
class Instance implements Back {
  readonly name: string;
  readonly port: number;
  behaviour: Behaviour = WELL;
  requests = 0;
  readonly #server: Server;
  readonly #answer: (question: Question) => Answer;
  /** Requests that hang until somebody lets them go on. */
  readonly #held = new Map<ServerResponse, (status?: number) => void>();

  constructor(name: string, port: number, make: MakeService) {
    this.name = name;
    this.port = port;
    this.#answer = make(name);
    this.#server = createServer((request, response) => this.#take(request, response));
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on("error", (error) => {
      console.error(`${name}: cannot listen on ${HOST}:${port}: ${error.message}`);
      process.exit(1);
    });
  }

  get held(): number {
    return this.#held.size;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.port, HOST, resolve);
    });
  }

  async behave(behaviour: Behaviour): Promise<void> {
    this.behaviour = behaviour;
    if (behaviour.kind !== "hanging") this.release();
    if (behaviour.kind === "refusing" && this.#server.listening) {
      this.#server.close();
      this.#server.closeAllConnections();
    }
    if (behaviour.kind !== "refusing" && !this.#server.listening) await this.listen();
  }

  release(status?: number): void {
    for (const letGo of this.#held.values()) letGo(status);
    this.#held.clear();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    let body = "";
    if (request.url !== HEALTH) this.requests++;
    request.setEncoding("latin1").on("data", (text: string) => {
      body += text;
      if (body.length > LARGEST_BODY) request.destroy();
    });
    request.on("end", () => this.#arrived(request, body, response));
    response.on("close", () => this.#held.delete(response));
  }

  #arrived(request: IncomingMessage, body: string, response: ServerResponse): void {
    const { method = "GET", headers } = request;
    const url = new URL(request.url ?? "/", "http://shop.invalid");
    const go = (status?: number): void => {
      // The gateway gives every request an id; the page shows it.
      response.setHeader("x-request-id", headers["x-request-id"] ?? "none");
      this.#send(response, status === undefined ? this.#answer({ method, url, headers, body }) : failure(status));
    };
    if (request.url === HEALTH) return this.#tellHealth(response);
    const { kind, milliseconds, status } = this.behaviour;
    if (kind === "slow") setTimeout(go, milliseconds);
    else if (kind === "failing") go(status);
    else if (kind === "hanging") this.#held.set(response, go);
    else if (kind === "losing") {
      this.#answer({ method, url, headers, body });
      response.destroy();
    } else go();
  }

  /** What health checks are told; one that hangs says nothing to them either. */
  #tellHealth(response: ServerResponse): void {
    const { kind } = this.behaviour;
    if (kind === "hanging") this.#held.set(response, () => this.#send(response, { body: "well\n" }));
    else if (kind === "failing" || kind === "unwell") this.#send(response, failure(503));
    else this.#send(response, { body: "well\n" });
  }

  #send(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
    const isText = typeof body === "string";
    const text = isText ? body : `${JSON.stringify(body)}\n`;
    response.writeHead(status, {
      "content-type": isText ? "text/plain; charset=utf-8" : "application/json",
      "content-length": Buffer.byteLength(text),
      "x-instance": this.name,
      ...headers,
    });
    response.end(text);
  }
}

function failure(status: number): Answer {
  return { status, body: { error: `told to fail with ${status}` } };
}
