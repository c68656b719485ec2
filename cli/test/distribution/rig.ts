// A controller's publisher and proxies that follow it, in one process and over real TLS on loopback.
import { ApiFailure } from "@sallyport/controller/api/contract";
import {
  openPublisher,
  type PublisherOptions,
  type RunningPublisher,
} from "@sallyport/controller/distribute/publisher";
import type { Gateway } from "@sallyport/gateway/contract";
import { Log, openLevel } from "@sallyport/gateway/log";
import { followController } from "@sallyport/gateway/remote";
import type { FollowedController, RemoteOptions } from "@sallyport/gateway/remote-contract";
import { startGateway } from "@sallyport/gateway/supervisor";
import { DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
import type { HttpRoute } from "@sallyport/model/route";
import { type Snapshot, toSnapshot } from "@sallyport/model/snapshot";
import { IdentityApi } from "@sallyport/testkit/identity-api";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";

/** The Gateway of most tests, its account, and where its controller runs. */
export const GROUP = "shop/web";
export const ACCOUNT = "web-sallyport";
const NAMESPACE = "sallyport-system";

/** An API server for identities. */
export function openApi(): IdentityApi {
  return new IdentityApi((status, reason) => new ApiFailure(`${status} ${reason}`, { status, reason }));
}

/** A publisher that knows the Gateways shop/web and shop/other. */
export function openTestPublisher(api: IdentityApi, more: Partial<PublisherOptions> = {}): Promise<RunningPublisher> {
  const accounts = new Map([
    [GROUP, ACCOUNT],
    ["shop/other", "other-sallyport"],
  ]);
  return openPublisher({
    api,
    namespace: NAMESPACE,
    trustDomain: "cluster.local",
    listen: "127.0.0.1:0",
    hosts: ["localhost"],
    accountOf: (group) => accounts.get(group),
    log: { info: () => undefined, warn: () => undefined },
    ...more,
  });
}

/** A proxy: its gateway, what it follows, and its files. */
export interface Proxy extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly followed: FollowedController;
  readonly directory: TemporaryDirectory;
  /** Of its only listener. */
  port(): number;
  /** What it logged. */
  readonly lines: readonly string[];
  /** Ends it and leaves its files. */
  stop(): Promise<void>;
}

/** Where a proxy finds things. */
export interface ProxyPlace {
  readonly controllerPort: number;
  readonly trusted: string;
  readonly token: string;
  readonly directory?: TemporaryDirectory;
}

/** Starts a proxy of GROUP. */
export async function startProxy(place: ProxyPlace, more: Partial<RemoteOptions> = {}): Promise<Proxy> {
  const { directory = openTemporaryDirectory() } = place;
  directory.write("ca.crt", place.trusted);
  directory.write("token", place.token);
  const lines: string[] = [];
  const log = new Log({
    format: "json",
    sink: (line) => void lines.push(line),
    level: openLevel("info"),
    now: Date.now,
  });
  const known: { followed?: FollowedController } = {};
  const gateway = await startGateway({
    workers: 1,
    accessLog: { to: "off" },
    log: { level: "off", format: "json" },
    metrics: { host: "127.0.0.1", port: 0 },
    remote: () => known.followed?.facts(),
  });
  const followed = await followController(gateway, {
    group: GROUP,
    controller: `localhost:${place.controllerPort}`,
    caFile: directory.file("ca.crt"),
    tokenFile: directory.file("token"),
    stateDirectory: directory.file("state"),
    proxy: "pod-1",
    node: "node-1",
    version: "test",
    log,
    ...more,
  });
  known.followed = followed;
  const stop = async (): Promise<void> => {
    await followed.close();
    await gateway.close();
  };
  return {
    gateway,
    followed,
    directory,
    lines,
    port: () => gateway.ports().values().next().value ?? 0,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      directory.close();
    },
  };
}

/** A listener with one route that answers `version` in a header, as the configuration that a test tells apart. */
export function toVersionSnapshot(version: string, port = 0, routes = 1): Snapshot {
  const listener: Listener = {
    kind: "listener",
    key: "shop/web/http",
    port: 80,
    bind: { address: "127.0.0.1", port },
    protocol: "http",
    http: DEFAULT_HTTP_SERVER_OPTIONS,
  };
  return toSnapshot([listener, ...Array.from({ length: routes }, (_, index) => toRoute(index, version))]);
}

function toRoute(index: number, version: string): HttpRoute {
  return {
    kind: "http-route",
    key: `shop/route-${index}`,
    age: "1",
    attachments: [{ listener: "shop/web/http", hostnames: ["*"] }],
    rules: [
      {
        matches: [{ path: { kind: "prefix", value: `/${index}` }, headers: [], query: [] }],
        policies: [{ kind: "response-headers", set: [{ name: "x-version", value: version }], add: [], remove: [] }],
        backends: [],
      },
    ],
  };
}
