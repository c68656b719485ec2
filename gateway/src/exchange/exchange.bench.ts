/** What an exchange costs without codecs: from the head of a request to the record of its answer. */
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { bench } from "@sallyport/testkit/bench";
import { CLIENT_CONNECTION } from "../../test/client-connection.ts";
import { toOneRoute, toOneRouteRuntime } from "../../test/http1/rig.ts";
import type { ConnectionRequest, UpstreamCluster, UpstreamConnection } from "../cluster/contract.ts";
import { RequestHead } from "../head/request-head.ts";
import { RequestIds } from "../head/request-id.ts";
import { toResponseHead } from "../head/response-head.ts";
import { KeptBodies } from "../retry/kept-bodies.ts";
import { compileRetry } from "../retry/policy.ts";
import type { CompiledRule } from "../router/contract.ts";
import { toClusterMark } from "../session/endpoint-session.ts";
import { formatToken } from "../session/token.ts";
import { openClocks } from "../time/ticker.ts";
import type { AnswerReceiver, DownstreamStream, UpstreamStream } from "./contract.ts";
import type { ExchangeDependencies } from "./dependencies.ts";
import { Exchange } from "./exchange.ts";

const nothing = (): undefined => undefined;
const answer = toResponseHead({ status: 200, headers: [["content-type", "text/plain"]] }, 0);
const SESSION = "0123456789abcdef";
const KEY = "ns/web:80";

let receiver: AnswerReceiver | undefined = undefined;
let notes = 0;

const upstream: UpstreamStream = {
  takesRaw: true,
  offersRaw: false,
  bodyBytes: 0,
  sendHead: nothing,
  sendBody: () => "taken",
  endBody: nothing,
  flush: () => "taken",
  cancel: nothing,
  discard: nothing,
  pauseBody: nothing,
  resumeBody: nothing,
};
const connection: UpstreamConnection = {
  endpoint: {
    address: "10.0.0.1",
    port: 80,
    label: "10.0.0.1:80",
    session: SESSION,
    active: () => 1,
    noteAnswer: (status) => void (notes += status),
    noteFailure: nothing,
  },
  capacity: 1,
  settled: true,
  upgradable: true,
  connected: true,
  failureDetail: "",
  open: (exchange) => {
    receiver = exchange;
    return upstream;
  },
  close: nothing,
};
const cluster: UpstreamCluster = {
  key: KEY,
  retries: { begin: () => true, end: nothing, repeat: nothing },
  serves: () => true,
  acquire: (request: ConnectionRequest) => request.assign(connection, true),
  lease: nothing,
  cancel: nothing,
};
const downstream: DownstreamStream = {
  connection: CLIENT_CONNECTION,
  gone: false,
  takesRaw: true,
  offersRaw: false,
  bodyBytes: 0,
  takeBody: nothing,
  sendInterim: nothing,
  sendHead: nothing,
  retractHead: () => false,
  sendBody: () => "taken",
  endBody: nothing,
  flush: () => "taken",
  abort: nothing,
  pauseBody: nothing,
  resumeBody: nothing,
};
const dependencies: ExchangeDependencies = {
  recorder: {
    exchange: nothing,
    stream: nothing,
    handshake: nothing,
    connectionOpened: nothing,
    connectionLimited: nothing,
    connectionClosed: nothing,
    upstreamConnect: nothing,
    upstreamReuse: nothing,
    upstreamAddressesLeftOut: nothing,
    upstreamRetry: nothing,
    bodyKept: nothing,
    bodyRefused: nothing,
    upstreamClosed: nothing,
    upstreamPending: nothing,
    upstreamOverflow: nothing,
    upstreamBreaker: nothing,
  },
  ids: new RequestIds(),
  clocks: openClocks(),
  log: { error: nothing, warn: nothing },
  pressure: { stopKeepAlive: false, shed: false, draining: false },
  now: () => 0,
  random: () => 0.5,
  kept: new KeptBodies(),
  pool: [],
};

function measure(name: string, rule: Partial<CompiledRule>, fields = ""): void {
  const backend = { cluster, invalid: "", filters: [] };
  const runtime = toOneRouteRuntime(toOneRoute(DEFAULT_HTTP_SERVER_OPTIONS, backend, rule));
  const bind = runtime.binds.get("test");
  if (bind === undefined) throw new Error("no bind");
  const head = new RequestHead();
  head.text = `GET / HTTP/1.1\r\nHost: x\r\n${fields}`;
  head.fieldsAt = 16;
  head.method = "GET";
  head.settle("/", "x");
  const start = { downstream, runtime, bind, outdated: false, head, startedAt: 1 };
  bench(name, (iterations) => {
    for (let i = 0; i < iterations; i++) {
      const exchange = dependencies.pool.pop() ?? new Exchange(dependencies);
      exchange.begin(start);
      receiver?.onAnswerHead(answer, "none");
      receiver?.onAnswerEnd("");
    }
    return notes;
  });
}

const backoff = { least: 0, base: 25, max: 250 };
const retry = compileRetry({ attempts: 2, on: ["5xx", "reset"], statuses: [429], backoff });
const limits = { idleTimeout: 60_000, maxDuration: 600_000 };
const seconds = Math.floor(Date.now() / 1000);
const token = formatToken({ endpoint: SESSION, cluster: toClusterMark(KEY), begun: seconds, used: seconds });
const session = {
  policy: { carrier: { kind: "cookie", name: "sid", lifetime: "session" } },
  backends: new Map([[toClusterMark(KEY), { cluster, invalid: "", filters: [] }]]),
} as const;

measure("plain", {});
measure("retries and all time limits", { retry, limits, requestTimeout: 30_000, backendTimeout: 10_000 });
measure("a session that is kept", { session }, `Accept: */*\r\nCookie: a=b; sid=${token}\r\n`);
measure("a session that begins", { session }, "Accept: */*\r\n");
