// Sallyport in front of both servers of the gRPC suite: cleartext and TLS, a host name for each backend.
import { createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { openGateway, type RunningGateway } from "../tls/gateway.ts";
import {
  authority as authorityObject,
  backendTlsPolicy,
  GATEWAY_CLASS,
  gateway,
  httpsListener,
  join,
  secret,
  service,
} from "../tls/objects.ts";
import { type CallKind, type CallOrder, METHODS } from "./calls.ts";
import { type GrpcServer, type Maker, MAKERS, openServer } from "./peers.ts";

/** How a client reaches the gateway. */
export type Transport = "h2c" | "tls";

/** What clients ask for; the certificate has each by name, as clients take no *.test. */
const HOSTS = ["go.test", "js.test", "go.tls.test", "js.tls.test", "down.test", "nowhere.test"];

/** A running gateway and the servers behind it. */
export interface GrpcEdge extends AsyncDisposable {
  readonly running: RunningGateway;
  readonly ports: Readonly<Record<Transport, number>>;
  /** By host: `go.test` and `js.test` in cleartext, `go.tls.test` and `js.tls.test` over TLS. */
  readonly servers: ReadonlyMap<string, GrpcServer>;
  /** An order for one call of this kind to a host; `down.test` has no server. */
  order(transport: Transport, host: string, kind: CallKind): CallOrder;
}

/** A GRPCRoute for one host that knows the Echo service only. */
export function grpcRoute(name: string, host: string, backend: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: ${name}, namespace: default }
spec:
  parentRefs: [{ name: edge }]
  hostnames: ["${host}"]
  rules: [{ matches: [{ method: { service: sallyport.interop.Echo } }], backendRefs: [{ name: ${backend}, port: 80 }] }]`;
}

/** An order for one call, to be changed at will. */
export function orderOf(options: Pick<CallOrder, "target" | "authority" | "ca" | "kind">): CallOrder {
  return {
    ...options,
    path: METHODS[options.kind],
    send: [10],
    metadata: [],
    calls: 1,
    parallel: 1,
    deadline: 0,
    cancelOn: "",
    untilTerminated: false,
  };
}

/** Starts everything. */
export async function openGrpcEdge(): Promise<GrpcEdge> {
  const authority = await createAuthority();
  const front = await authority.issue({ names: HOSTS });
  const back = await authority.issue({ names: ["backend.test"] });
  const servers = new Map<string, GrpcServer>();
  const stop = (): Promise<unknown> => Promise.all([...servers.values()].map((server) => server.stop()));
  try {
    for (const maker of MAKERS) {
      servers.set(`${maker}.test`, await openServer(maker));
      servers.set(`${maker}.tls.test`, await openServer(maker, back));
    }
    const [h2c = 0, tls = 0, nobody = 0] = await freePorts(3);
    const running = await openGateway({
      "gateway.yaml": join([
        GATEWAY_CLASS,
        gateway([`{ name: h2c, port: ${h2c}, protocol: HTTP }`, httpsListener("tls", tls)]),
        secret("tls", front),
        authorityObject("backends", authority.cert),
        grpcRoute("down", "down.test", "down"),
        service("down", nobody),
        ...MAKERS.flatMap((maker) => backendObjects(maker, servers)),
      ]),
    });
    return {
      running,
      ports: { h2c, tls },
      servers,
      order: (transport, host, kind) =>
        orderOf({
          target: `127.0.0.1:${transport === "tls" ? tls : h2c}`,
          authority: host,
          ca: transport === "tls" ? authority.cert : "",
          kind,
        }),
      [Symbol.asyncDispose]: async () => {
        await running.stop();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function backendObjects(maker: Maker, servers: ReadonlyMap<string, GrpcServer>): readonly string[] {
  return [
    grpcRoute(maker, `${maker}.test`, maker),
    service(maker, servers.get(`${maker}.test`)?.port ?? 0),
    grpcRoute(`${maker}-tls`, `${maker}.tls.test`, `${maker}-tls`),
    service(`${maker}-tls`, servers.get(`${maker}.tls.test`)?.port ?? 0),
    backendTlsPolicy(`${maker}-tls`, `${maker}-tls`, "backend.test", "backends"),
  ];
}
