/** Small configurations for tests. */
import { type Cluster, DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import { DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
import type { Policy } from "@sallyport/model/policy";
import type { HttpRoute } from "@sallyport/model/route";
import { toSnapshot, type Resource, type Snapshot } from "@sallyport/model/snapshot";

/** What a test may want to be different. */
export interface SnapshotParts {
  /** Bound port of the listener; 0 for a free one. */
  readonly port?: number;
  /** Backend ports; none: the cluster has no endpoints. */
  readonly backends?: readonly number[];
  /** Value of the response header `x-version`. */
  readonly version?: string;
  readonly listeners?: readonly Listener[];
  /** Settings of the cluster other than the defaults. */
  readonly cluster?: Partial<Cluster>;
}

/** A listener of Gateway default/gw. */
export function toListener(name: string, port: number, address = "127.0.0.1"): Listener {
  return {
    kind: "listener",
    key: `default/gw/${name}`,
    port: 80,
    bind: { address, port },
    protocol: "http",
    http: DEFAULT_HTTP_SERVER_OPTIONS,
  };
}

/** One listener (`default/gw/http`), one route for everything, one cluster. */
export function toTestSnapshot(parts: SnapshotParts = {}): Snapshot {
  const { port = 0, backends = [], version, listeners = [toListener("http", port)] } = parts;
  const policies: Policy[] = version === undefined ? [] : [toVersionPolicy(version)];
  const route: HttpRoute = {
    kind: "http-route",
    key: "default/web",
    age: "1",
    attachments: listeners.map(({ key }) => ({ listener: key, hostnames: ["*"] })),
    rules: [
      {
        matches: [{ path: { kind: "prefix", value: "/" }, headers: [], query: [] }],
        policies,
        backends: [{ kind: "cluster", cluster: "default/web:80", weight: 1, policies: [] }],
      },
    ],
  };
  const resources: Resource[] = [
    ...listeners,
    route,
    {
      kind: "cluster",
      key: "default/web:80",
      discovery: { kind: "endpoints" },
      protocol: "http1",
      ...DEFAULT_CLUSTER,
      ...parts.cluster,
    },
    {
      kind: "endpoints",
      key: "default/web:80",
      endpoints: backends.map((backend) => ({ address: "127.0.0.1", port: backend, weight: 1, state: "ready" })),
    },
  ];
  return toSnapshot(resources);
}

function toVersionPolicy(version: string): Policy {
  return { kind: "response-headers", set: [{ name: "x-version", value: version }], add: [], remove: [] };
}
