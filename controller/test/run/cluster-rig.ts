// A cluster in memory with a controller's loop on it, and builders of what is in the cluster.
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";
import type { Snapshot } from "@sallyport/model/snapshot";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import type { GroupState } from "../../src/run/contract.ts";
import { ControlLoop } from "../../src/run/control-loop.ts";
import { ApiStatusWriter } from "../../src/status/status-writer.ts";
import { isRecord } from "../../src/kube/field-path.ts";
import { type JsonObject, toObjects } from "../../src/kube/json.ts";
import { CLUSTER_TRUST } from "../../src/translate/service-trust.ts";
import { toClusterBindPort } from "../../src/translate/bind-port.ts";
import { watchCluster } from "../../src/world/cluster-world.ts";
import { type ApiObject, MemoryApi } from "./memory-api.ts";

/** Whose classes are ours. */
export const CONTROLLER = "sallyport.io/gateway-controller";

const GATEWAY_API = "gateway.networking.k8s.io";
/** Shorter than a controller has, for tests that wait for nothing to happen. */
const BURST = { quiet: 2, longest: 10 };
const NOTHING: GroupState = { connected: 1, current: 1, refusals: [] };

/** The cluster and the loop. */
export class ClusterRig {
  readonly api = new MemoryApi();
  readonly counts = { written: 0, conflicted: 0, failed: 0, rivaled: 0 };
  published: ReadonlyMap<string, Snapshot> | undefined;
  translations = 0;
  readonly #states = new Map<string, GroupState>();
  readonly #stateListeners = new Set<() => void>();
  readonly #lines: string[] = [];
  readonly #watched = watchCluster(this.api);
  readonly #loop = this.#openLoop();
  #writer: ApiStatusWriter | undefined;

  async start(): Promise<void> {
    await this.#loop.start();
  }

  lead(): void {
    this.#writer = new ApiStatusWriter({
      api: this.api,
      controllerName: CONTROLLER,
      log: this.#log(),
      observer: {
        written: () => void this.counts.written++,
        conflicted: () => void this.counts.conflicted++,
        failed: () => void this.counts.failed++,
        rivaled: () => void this.counts.rivaled++,
      },
      now: () => Date.now(),
    });
    this.#loop.lead({
      statuses: this.#writer,
      provisioner: {
        reconcile: () => undefined,
        failuresOf: () => [],
        onFailure: () => () => undefined,
        close: () => Promise.resolve(),
      },
    });
  }

  follow(): void {
    this.#loop.follow();
    this.#writer?.close();
    this.#writer = undefined;
  }

  async close(): Promise<void> {
    this.#writer?.close();
    await this.#loop.close();
    await this.#watched.close();
  }

  setState(group: string, state: GroupState): void {
    this.#states.set(group, state);
  }

  tellState(): void {
    for (const listener of this.#stateListeners) listener();
  }

  /** Until nothing has happened for several bursts. */
  async idle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const before = `${this.translations} ${this.api.writes.length}`;
      await delay(BURST.longest * 2);
      await eventually(() => (this.#writer?.pending ?? 0) === 0);
      quiet = before === `${this.translations} ${this.api.writes.length}` ? quiet + 1 : 0;
    }
  }

  /** Paths of the statuses that were written. */
  statusWrites(): readonly string[] {
    return this.api.writes.map(({ path }) => path).filter((path) => path.endsWith("/status"));
  }

  statusOf(kind: string, name: string): unknown {
    return this.api.get(kind, kind === "GatewayClass" ? "" : "default", name)?.["status"];
  }

  parentsOf(route: string): readonly JsonObject[] {
    const status = this.statusOf("HTTPRoute", route);
    return isRecord(status) ? toObjects(status["parents"]) : [];
  }

  conditionsOf(status: unknown): readonly JsonObject[] {
    return isRecord(status) ? toObjects(status["conditions"]) : [];
  }

  logged(): string {
    return this.#lines.join("\n");
  }

  #openLoop(): ControlLoop {
    return new ControlLoop({
      watched: this.#watched,
      publisher: {
        publish: (slices) => {
          this.published = slices;
        },
        groupState: (group) => this.#states.get(group) ?? NOTHING,
        onState: (listener) => {
          this.#stateListeners.add(listener);
          return () => void this.#stateListeners.delete(listener);
        },
      },
      translate: {
        controllerName: CONTROLLER,
        bindAddress: "0.0.0.0",
        toBindPort: toClusterBindPort,
        http: DEFAULT_HTTP_SERVER_OPTIONS,
        trust: CLUSTER_TRUST,
      },
      ingressService: { namespace: "sallyport-system", name: "sallyport-ingress" },
      log: this.#log(),
      observer: {
        translated: () => void this.translations++,
        failed: () => undefined,
      },
      burst: BURST,
    });
  }

  #log() {
    const add = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void this.#lines.push(
        `${message} ${JSON.stringify(fields, (_name, value: unknown) => (value instanceof Error ? value.stack : value))}`,
      );
    return { error: add, warn: add, info: add, debug: add };
  }
}

/** The condition of this type in a status or an entry. */
export function conditionOf(status: unknown, type: string): JsonObject | undefined {
  if (!isRecord(status)) return undefined;
  return toObjects(status["conditions"]).find((condition) => condition["type"] === type);
}

/** A GatewayClass. */
export function gatewayClass(name = "sallyport", controllerName = CONTROLLER): ApiObject {
  return { apiVersion: `${GATEWAY_API}/v1`, kind: "GatewayClass", metadata: { name }, spec: { controllerName } };
}

/** A Gateway with a plain listener. */
export function gateway(name: string, gatewayClassName = "sallyport"): ApiObject {
  return {
    apiVersion: `${GATEWAY_API}/v1`,
    kind: "Gateway",
    metadata: { name, namespace: "default" },
    spec: { gatewayClassName, listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
  };
}

/** An HTTPRoute that hangs on a Gateway. */
export function httpRoute(name: string, parent = "web"): ApiObject {
  return {
    apiVersion: `${GATEWAY_API}/v1`,
    kind: "HTTPRoute",
    metadata: { name, namespace: "default" },
    spec: { parentRefs: [{ name: parent }], rules: [{ backendRefs: [{ name: "app", port: 80 }] }] },
  };
}

/** The Service of a Gateway's proxies, with an address. */
export function proxyService(name: string): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `${name}-sallyport`, namespace: "default" },
    spec: { type: "LoadBalancer", ports: [{ name: "p80", port: 80, targetPort: 10080 }] },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
  };
}

/** What says that a proxy of the Gateway is ready. */
export function readySlice(name: string): ApiObject {
  const service = `${name}-sallyport`;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${service}-1`, namespace: "default", labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "p80", port: 10080 }],
    endpoints: [{ addresses: ["10.0.0.9"], conditions: { ready: true } }],
  };
}
