/** The back door of a service: how its instances are, and telling them how to be. Loopback only, and no route leads there. */
import { once } from "node:events";
import { createServer } from "node:http";
import { BEHAVIOURS, type Behaviour, parseBehaviour, parseStatus } from "./behaviour.ts";

/** An instance from behind. */
export interface Back {
  readonly name: string;
  readonly port: number;
  readonly behaviour: Behaviour;
  /** Since the start, health checks left out. */
  readonly requests: number;
  /** Requests that hang in it now. */
  readonly held: number;
  behave(behaviour: Behaviour): Promise<void>;
  /** Answers what hangs: as usual, or with this status. */
  release(status?: number): void;
}

const USAGE = `GET  /                                how the instances are
POST /behave?instance=NAME&be=HOW     without instance: all of them. HOW is
${Object.entries(BEHAVIOURS)
  .map(([word, text]) => `       ${word.padEnd(9)} ${text}`)
  .join("\n")}
POST /release?instance=NAME&status=N  answers what hangs: as usual, or with this status
`;

/** Opens it on that port. */
export async function openBackDoor(port: number, instances: readonly Back[]): Promise<void> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://door.invalid");
    const name = url.searchParams.get("instance");
    const meant = instances.filter((instance) => name === null || instance.name === name);
    const answer = (status: number, body: string): void => {
      response.writeHead(status, { "content-type": status === 200 ? "application/json" : "text/plain" }).end(body);
    };
    request.resume();
    // Pages of browsers have no business here.
    if (request.headers.origin !== undefined) return answer(403, "not from a web page\n");
    if (meant.length === 0) return answer(404, `there are ${instances.map((instance) => instance.name).join(", ")}\n`);
    const asked = `${request.method} ${url.pathname}`;
    if (asked !== "GET /" && asked !== "POST /behave" && asked !== "POST /release") return answer(404, USAGE);
    void act(asked, url.searchParams, meant).then((problem) => {
      if (problem === undefined) answer(200, `${JSON.stringify(instances.map(describe), null, 2)}\n`);
      else answer(400, `${problem}\n\n${USAGE}`);
    });
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
}

/** Does what is asked; a text says why it cannot be done. */
async function act(asked: string, query: URLSearchParams, instances: readonly Back[]): Promise<string | undefined> {
  if (asked === "POST /release") {
    const text = query.get("status");
    const status = text === null ? undefined : parseStatus(text);
    if (typeof status === "string") return status;
    for (const instance of instances) instance.release(status);
  }
  if (asked === "POST /behave") {
    const behaviour = parseBehaviour(query);
    if (typeof behaviour === "string") return behaviour;
    await Promise.all(instances.map((instance) => instance.behave(behaviour)));
  }
  return undefined;
}

function describe({ name, port, behaviour, requests, held }: Back): unknown {
  return { name, port, behaviour: behaviour.kind, requests, held };
}
