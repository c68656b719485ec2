/** The server role without a network: bytes go in, what would go upstream and to the client comes out. */
import { DEFAULT_HTTP_SERVER_OPTIONS, DEFAULT_STREAM_OPTIONS } from "@sallyport/model/listener";
import type { ConnectionRequest, EndpointRequest, UpstreamCluster } from "../../src/cluster/contract.ts";
import type { AnswerReceiver, UpstreamStream } from "../../src/exchange/contract.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import { toResponseHead } from "../../src/head/response-head.ts";
import { Http1Server } from "../../src/http1/server.ts";
import type { CompiledBind, CompiledRule, Runtime } from "../../src/router/contract.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { Inlet } from "../../src/wire/inlet.ts";
import { KeptBodies } from "../../src/retry/kept-bodies.ts";
import { CLIENT_CONNECTION } from "../client-connection.ts";
import { FreeRetries } from "../free-retries.ts";
import { StubSocket } from "./stub-socket.ts";
import { UNHEARD } from "../unheard.ts";

const OK = toResponseHead({ status: 200, headers: [["date", "x"]] }, 2);
OK.dated = true;
const BODY = Buffer.from("ok");

/** Records what goes upstream and answers when the request is complete. */
class EchoCluster implements UpstreamCluster {
  readonly key = "test/echo:80";
  readonly retries = new FreeRetries();
  readonly seen: string[] = [];

  acquire(request: ConnectionRequest): void {
    const { seen } = this;
    request.assign(
      {
        endpoint: { address: "127.0.0.1", port: 1, label: "127.0.0.1:1", active: () => 0, ...UNHEARD },
        capacity: 1,
        settled: true,
        upgradable: true,
        connected: true,
        failureDetail: "",
        open: (receiver) => toStream(receiver, seen),
        close: () => undefined,
      },
      false,
    );
  }

  lease(request: EndpointRequest): void {
    request.refuse("no-endpoints");
  }

  serves(): boolean {
    return false;
  }

  cancel(): void {
    // nothing waits
  }
}

function toStream(receiver: AnswerReceiver, seen: string[]): UpstreamStream {
  const at = seen.push("") - 1;
  return {
    takesRaw: true,
    offersRaw: false,
    bodyBytes: 0,
    sendHead: (head) => void (seen[at] += head.toHttp1().replace(/x-request-id: .*\r\n/, "")),
    sendBody: (bytes, from, to) => {
      seen[at] += bytes.toString("latin1", from, to);
      return "taken";
    },
    endBody: () => {
      receiver.onAnswerHead(OK, "length");
      receiver.onAnswerBody(BODY, 0, 2, undefined);
      receiver.onAnswerEnd("");
    },
    flush: () => "taken",
    cancel: () => void (seen[at] += "(cancelled)"),
    discard: () => void (seen[at] += "(discarded)"),
    pauseBody: () => undefined,
    resumeBody: () => undefined,
  };
}

/** What became of a connection. */
export interface Run {
  readonly seen: readonly string[];
  readonly written: string;
  readonly end: string;
  readonly bugs: readonly string[];
}

/** Feeds a connection these pieces and FIN. */
export function serve(pieces: readonly Buffer[]): Run {
  const cluster = new EchoCluster();
  const bugs: string[] = [];
  const backend = { cluster, invalid: "", filters: [] };
  const rule: CompiledRule = {
    routeKey: "r",
    ruleName: "0",
    label: "r/0",
    filters: [],
    single: backend,
    pick: () => backend,
    requestTimeout: 0,
    backendTimeout: 0,
    retry: undefined,
    limits: undefined,
    session: undefined,
  };
  const http = DEFAULT_HTTP_SERVER_OPTIONS;
  const stream = DEFAULT_STREAM_OPTIONS;
  const listener = { key: "l", port: 80, protocol: "http", http, stream, metrics: 0 } as const;
  const bind: CompiledBind = {
    key: "b",
    address: "",
    port: 80,
    http,
    fallback: listener,
    transport: "http",
    tls: undefined,
    stream: undefined,
    proxyProtocol: undefined,
    connections: {},
    route: () => ({ listener, rule, matchedPrefix: undefined, cacheable: true }),
  };
  const runtime: Runtime = { epoch: 1, binds: new Map([["b", bind]]), cluster: () => undefined };
  const recorder = {
    exchange: () => undefined,
    connectionOpened: () => undefined,
    connectionLimited: () => undefined,
    connectionClosed: () => undefined,
    upstreamConnect: () => undefined,
    upstreamReuse: () => undefined,
    upstreamAddressesLeftOut: () => undefined,
    upstreamRetry: () => undefined,
    bodyKept: () => undefined,
    bodyRefused: () => undefined,
    upstreamClosed: () => undefined,
    upstreamPending: () => undefined,
    upstreamOverflow: () => undefined,
    upstreamBreaker: () => undefined,
    stream: () => undefined,
    handshake: () => undefined,
  };
  const dependencies = {
    recorder,
    ids: new RequestIds(Buffer.alloc(9)),
    clocks: { coarse: new Wheel(250), fine: new Wheel(4) },
    log: {
      warn: () => undefined,
      error: (message: string, fields: object) => void bugs.push(message, String(Object.values(fields)[0])),
    },
    pressure: { stopKeepAlive: false, shed: false, draining: false },
    now: () => 0,
    random: () => 0,
    kept: new KeptBodies(),
    pool: [],
  };
  const stub = new StubSocket();
  const inlet = new Inlet();
  inlet.attach(stub.socket);
  const port = { dependencies, draining: false, runtime: () => runtime, bindOf: () => bind };
  const server = new Http1Server({ socket: stub.socket, inlet, about: CLIENT_CONNECTION, ways: "documented" }, port);
  for (const piece of pieces) if (!stub.destroyed) server.onBytes(Buffer.from(piece), 0, piece.length, undefined);
  stub.emit("end");
  const end = stub.reset ? "reset" : stub.ended ? "ended" : stub.destroyed ? "destroyed" : "open";
  server.onClosed();
  return { seen: cluster.seen, written: stub.written, end, bugs };
}
