/** Resources of snapshots with plain defaults, and a compiler on fakes, for tests. */
import { type Cluster, DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import type { Endpoint, EndpointSet } from "@sallyport/model/endpoint";
import { DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
import type { HttpMatch } from "@sallyport/model/match";
import type { HttpRoute, HttpRule, StreamBackend, StreamRoute, WeightedBackend } from "@sallyport/model/route";
import type { Authorities, CertificateSecret } from "@sallyport/model/secret";
import { type Resource, type Snapshot, type SnapshotDelta, toResourceId, toSnapshot } from "@sallyport/model/snapshot";
import type { NameResolver } from "../../src/cluster/contract.ts";
import { openClusterTable } from "../../src/cluster/table.ts";
import { compileRuntime } from "../../src/compile/compile.ts";
import type { CompileDependencies, CompiledRuntime, CompileOutcome } from "../../src/compile/contract.ts";
import type { CompiledBackend, RouteInput } from "../../src/router/contract.ts";
import { FakeOutside, toEndpoint } from "../cluster/fakes.ts";

/** `ns/gateway/NAME` on 0.0.0.0:8080. */
export function toListener(name: string, changes: Partial<Listener> = {}): Listener {
  return {
    kind: "listener",
    key: `ns/gateway/${name}`,
    port: 80,
    bind: { address: "0.0.0.0", port: 8080 },
    protocol: "http",
    http: DEFAULT_HTTP_SERVER_OPTIONS,
    ...changes,
  };
}

/** `ns/NAME` on the listener `http`, for all hosts. */
export function toRoute(name: string, rules: HttpRule[], changes: Partial<HttpRoute> = {}): HttpRoute {
  return {
    kind: "http-route",
    key: `ns/${name}`,
    age: "",
    attachments: [{ listener: "ns/gateway/http", hostnames: ["*"] }],
    rules,
    ...changes,
  };
}

/** A rule for a path prefix that sends everything to one cluster. */
export function toRule(prefix: string, cluster: string, changes: Partial<HttpRule> = {}): HttpRule {
  return {
    matches: [toPrefixMatch(prefix)],
    policies: [],
    backends: [toBackend(cluster)],
    ...changes,
  };
}

/** A match of a path prefix alone. */
function toPrefixMatch(value: string): HttpMatch {
  return { path: { kind: "prefix", value }, headers: [], query: [] };
}

/** A backend without policies. */
export function toBackend(cluster: string, weight = 1): WeightedBackend {
  return { kind: "cluster", cluster, weight, policies: [] };
}

/** A cluster with an endpoint set of its own. */
export function toCluster(key: string, changes: Partial<Cluster> = {}): Cluster {
  const discovery = { kind: "endpoints" } as const;
  return { kind: "cluster", key, discovery, protocol: "http1", ...DEFAULT_CLUSTER, ...changes };
}

/** The endpoints 10.0.0.N:80 of a cluster. */
export function toEndpoints(key: string, ...numbers: number[]): EndpointSet {
  const endpoints: Endpoint[] = numbers.map((number) => toEndpoint(number));
  return { kind: "endpoints", key, endpoints };
}

/** A secret; the texts need not be PEM for most tests. */
export function toSecret(name: string, certificateChain: string, privateKey = "key"): CertificateSecret {
  return { kind: "secret", key: `ns/${name}`, certificateChain, privateKey };
}

/** Authorities; the text need not be PEM for most tests. */
export function toAuthorities(name: string, certificates: string, revocations?: string): Authorities {
  const key = `ConfigMap/ns/${name}`;
  return { kind: "authorities", key, certificates, ...(revocations === undefined ? {} : { revocations }) };
}

/** `TCPRoute/ns/NAME` on the listener `tcp`, with equal shares for these clusters. */
export function toStreamRoute(
  name: string,
  clusters: readonly string[],
  changes: Partial<StreamRoute> = {},
): StreamRoute {
  return {
    kind: "stream-route",
    key: `TCPRoute/ns/${name}`,
    age: "",
    attachments: [{ listener: "ns/gateway/tcp", hostnames: ["*"] }],
    backends: clusters.map((cluster): StreamBackend => ({ kind: "cluster", cluster, weight: 1 })),
    ...changes,
  };
}

/** A compiler with its outside. */
export class TestCompiler {
  readonly outside = new FakeOutside();
  readonly dependencies: CompileDependencies;
  /** Yields of the last compilation. */
  yields = 0;
  #epoch = 0;

  constructor(resolver: NameResolver = NO_RESOLVER) {
    this.dependencies = {
      clusters: openClusterTable({ ...this.outside.options, resolver, schedule: () => () => undefined }),
      capabilities: { random: () => 0, delay: () => Promise.resolve() },
      metricsBlock: (key) => key.length,
    };
  }

  /** Compiles to the end; without a delta changes are found by identity. */
  compile(snapshot: Snapshot, previous?: CompiledRuntime, delta?: SnapshotDelta): CompileOutcome {
    const epoch = ++this.#epoch;
    const { dependencies } = this;
    const compilation = compileRuntime({ epoch, previous, snapshot, delta, dependencies });
    this.yields = 0;
    for (;;) {
      const step = compilation.next();
      if (step.done === true) return step.value;
      this.yields++;
    }
  }

  /** A runtime of these resources, activated; throws where there are problems. */
  activate(resources: Iterable<Resource>, previous?: CompiledRuntime): CompiledRuntime {
    const outcome = this.compile(toSnapshot(resources), previous);
    if (!outcome.ok) throw new Error(outcome.error.map((problem) => problem.message).join("; "));
    outcome.value.activate();
    return outcome.value;
  }
}

const NO_RESOLVER: NameResolver = {
  resolve: () => Promise.resolve({ kind: "failed", detail: "no resolver" }),
  close: () => undefined,
};

/** The snapshot with one to four of its resources, as `make` draws them, set or gone. `below(n)` draws from 0 to n - 1. */
export function editAtRandom(before: Snapshot, below: (n: number) => number, make: () => Resource): Snapshot {
  const resources = new Map(before.resources);
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const resource = make();
    if (below(4) === 0) resources.delete(toResourceId(resource));
    else resources.set(toResourceId(resource), resource);
  }
  return { resources };
}

/** Where a request goes on 0.0.0.0:8080: `listener route/rule prefix`, or why it goes nowhere. */
export function toDestination(runtime: CompiledRuntime, input: RouteInput, bind = "0.0.0.0:8080"): string {
  const result = runtime.binds.get(bind)?.route(input);
  if (result === undefined) return "no listener";
  const { listener, rule, matchedPrefix } = result;
  if (rule === undefined) return `${listener.key} no route`;
  return `${listener.key} ${rule.routeKey}/${rule.ruleName} ${matchedPrefix ?? "-"} ${toTarget(rule.pick())}`;
}

function toTarget(backend: CompiledBackend | undefined): string {
  return backend === undefined ? "no backend" : (backend.cluster?.key ?? backend.invalid);
}
