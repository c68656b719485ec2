/** The admin API: what runs, in JSON and text, and the few things an operator may do to it. Loopback by default. */
import { parseLogLevel } from "../observe/log.ts";
import type { HostPort } from "../workers/contract.ts";
import { findIntrusion } from "./guard.ts";
import { openOperatorServer, toJsonReply, toTextReply } from "./http.ts";
import type { OperatorRequest } from "./operator-request.ts";
import type { OperatorReply, OperatorServer } from "./http.ts";
import { renderIndex, type IndexEntry } from "./index-page.ts";
import type { AdminSource } from "./source.ts";
import { toClusters, toConfigDump, toListeners, toStats } from "./views.ts";

/** Opens the API; rejects with the error of listen(). */
export function openAdmin(
  place: HostPort,
  source: AdminSource,
  onError: (error: unknown) => void,
): Promise<OperatorServer> {
  const answer = (request: OperatorRequest): OperatorReply | Promise<OperatorReply> => {
    const intrusion = findIntrusion(request, place.host);
    return intrusion === undefined ? route(request, source) : toJsonReply(403, { error: intrusion });
  };
  return openOperatorServer({ ...place, answer, onError });
}

interface Endpoint extends IndexEntry {
  readonly answer: (source: AdminSource, request: OperatorRequest) => OperatorReply | Promise<OperatorReply>;
}

const ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/config_dump",
    describe: "the configuration in force, private keys redacted, and the epoch of each worker",
    answer: async (source) => toJsonReply(200, toConfigDump(source.snapshot(), source.metrics, await source.workers())),
  },
  {
    method: "GET",
    path: "/clusters",
    describe: "clusters, their endpoints, connections and waiting requests",
    answer: async (source) => toJsonReply(200, toClusters(source.snapshot(), await source.workers())),
  },
  {
    method: "GET",
    path: "/listeners",
    describe: "bound ports and the listeners on them",
    answer: async (source) => toJsonReply(200, toListeners(source.snapshot(), await source.workers())),
  },
  {
    method: "GET",
    path: "/stats",
    describe: "metrics as text, one a line",
    answer: (source) => toTextReply(200, toStats(source.metrics)),
  },
  {
    method: "GET",
    path: "/stats/prometheus",
    describe: "metrics in Prometheus' format",
    answer: async (source) => {
      const exposition = await source.exposition();
      return { status: 200, type: exposition.contentType, body: await exposition.text() };
    },
  },
  {
    method: "GET",
    path: "/ready",
    describe: "200 where the gateway takes traffic, 503 before the first configuration and in a drain",
    answer: (source) => toReadiness(source),
  },
  {
    method: "POST",
    path: "/logging",
    describe:
      "sets the level of the process log: `?level=` and one of error, warn, info, debug, off; without it, tells the level",
    answer: setLevel,
  },
  {
    method: "POST",
    path: "/drain",
    describe: "lets clients go and ends the process, as SIGTERM does",
    answer: (source) => {
      source.drain();
      return toJsonReply(202, { stage: "draining" });
    },
  },
];

/** What /ready says, here and on the metrics port. */
export function toReadiness(source: Pick<AdminSource, "metrics" | "stage">): OperatorReply {
  const { ready, epoch } = source.metrics.facts();
  if (ready) return toJsonReply(200, { ready, epoch });
  const reason = epoch === 0 ? "no configuration has been applied yet" : `the gateway is ${source.stage()}`;
  return toJsonReply(503, { ready, epoch, reason });
}

/** The table of docs/admin.md. */
export function renderEndpointTable(): string {
  const rows = ENDPOINTS.map(({ method, path, describe }) => `| ${method} | \`${path}\` | ${describe} |`);
  return ["| method | path | what |", "|---|---|---|", ...rows, ""].join("\n");
}

function route(request: OperatorRequest, source: AdminSource): OperatorReply | Promise<OperatorReply> {
  const { path, method } = request;
  if (path === "/") {
    return method === "GET" ? renderIndex(ENDPOINTS, source.stage(), source.metrics.facts()) : refuse("GET");
  }
  const endpoint = ENDPOINTS.find((each) => each.path === path);
  if (endpoint !== undefined) {
    return endpoint.method === method ? endpoint.answer(source, request) : refuse(endpoint.method);
  }
  const hook = /^\/workers\/(\d{1,3})\/(terminate|hang)$/.exec(path);
  if (hook !== null && source.hooks !== undefined && method === "POST") {
    const worker = Number(hook[1]);
    const done = hook[2] === "hang" ? source.hooks.hang(worker) : source.hooks.terminate(worker);
    return toJsonReply(done ? 202 : 404, { worker, done });
  }
  return toJsonReply(404, { error: "unknown path", paths: ENDPOINTS.map((each) => each.path) });
}

function refuse(allow: string): OperatorReply {
  return { ...toJsonReply(405, { error: `the method must be ${allow}` }), headers: { allow } };
}

function setLevel(source: AdminSource, { query }: OperatorRequest): OperatorReply {
  const wanted = query.get("level");
  if (wanted !== null) {
    const level = parseLogLevel(wanted);
    if (level === undefined) return toJsonReply(400, { error: "level must be error, warn, info, debug or off" });
    source.setLogLevel(level);
  }
  return toJsonReply(200, { level: source.logLevel() });
}
