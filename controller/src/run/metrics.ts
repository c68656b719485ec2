/** What the controller counts, in Prometheus' format. docs/controller.md says what each metric is for. */
import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { StatusObserver } from "../status/observer.ts";
import { kindNames } from "../kube/kinds.ts";
import type { GroupState } from "./contract.ts";
import type { LoopObserver } from "./control-loop.ts";
import type { ApiCounts } from "./watched-api.ts";

/** What is read at each scrape. */
export interface MetricSource {
  readonly version: string;
  /** Groups of proxies there should be. */
  groups(): readonly string[];
  groupState(group: string): GroupState;
  isLeader(): boolean;
  pendingStatuses(): number;
  /** By kind: what of the world could not be read. */
  unread(): ReadonlyMap<string, { readonly undecodable: number; readonly unknownFields: number }>;
  readonly requests: ApiCounts;
}

/** Counts, and tells. */
export interface ControllerMetrics {
  readonly statuses: StatusObserver;
  readonly loop: LoopObserver;
  readonly contentType: string;
  text(): Promise<string>;
}

interface PromClient {
  readonly Registry: typeof Registry;
  readonly Counter: typeof Counter;
  readonly Gauge: typeof Gauge;
  readonly Histogram: typeof Histogram;
}

/** Seconds. */
const TRANSLATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const STATUS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const MS = 1000;

/** Registers every family. */
export async function openMetrics(source: MetricSource): Promise<ControllerMetrics> {
  const families = new Families(await loadPromClient());
  registerGauges(families, source);
  return {
    statuses: countStatuses(families),
    loop: countLoop(families),
    contentType: families.registry.contentType,
    text: () => families.registry.metrics(),
  };
}

/** By file: the index of prom-client also loads a push gateway, a cluster aggregator and their memory. */
async function loadPromClient(): Promise<PromClient> {
  const [registry, counter, gauge, histogram] = await Promise.all([
    import("prom-client/lib/registry.js"),
    import("prom-client/lib/counter.js"),
    import("prom-client/lib/gauge.js"),
    import("prom-client/lib/histogram.js"),
  ]);
  return { Registry: registry.default, Counter: counter.default, Gauge: gauge.default, Histogram: histogram.default };
}

interface Reading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Makes families of one registry. */
class Families {
  readonly registry: Registry;
  readonly #prom: PromClient;

  constructor(prom: PromClient) {
    this.#prom = prom;
    this.registry = new prom.Registry();
  }

  counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new this.#prom.Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.registry] });
  }

  histogram(name: string, help: string, buckets: number[]): Histogram {
    return new this.#prom.Histogram({ name: `${PREFIX}${name}`, help, buckets, registers: [this.registry] });
  }

  /** Of what is known elsewhere, at each scrape. */
  gauge(name: string, help: string, { labelNames = [], read }: GaugeOptions): void {
    void new this.#prom.Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels = {}, value } of read()) this.set({ ...labels }, value);
      },
    });
  }

  /** As `gauge`, of what only grows. */
  total(name: string, help: string, { labelNames = [], read }: GaugeOptions): void {
    void new this.#prom.Counter({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels = {}, value } of read()) this.inc({ ...labels }, value);
      },
    });
  }
}

const PREFIX = "sallyport_controller_";

interface GaugeOptions {
  readonly labelNames?: string[];
  readonly read: () => readonly Reading[];
}

function registerGauges(families: Families, source: MetricSource): void {
  const labelNames = ["group"];
  const ofGroups = (read: (state: GroupState) => number) => (): Reading[] =>
    source.groups().map((group) => ({ labels: { group }, value: read(source.groupState(group)) }));
  families.gauge("build_info", "1; which program this is", {
    labelNames: ["version", "node"],
    read: () => [{ labels: { version: source.version, node: process.versions.node }, value: 1 }],
  });
  families.gauge("leader", "1 where this replica writes statuses and makes proxies", {
    read: () => [{ value: source.isLeader() ? 1 : 0 }],
  });
  families.gauge("proxies", "proxies connected to this replica", {
    labelNames,
    read: ofGroups(({ connected }) => connected),
  });
  families.gauge("proxies_behind", "connected proxies that do not have what they should have", {
    labelNames,
    read: ofGroups(({ connected, current }) => connected - current),
  });
  families.gauge("refusals", "different reasons for which connected proxies refuse their configuration", {
    labelNames,
    read: ofGroups(({ refusals }) => refusals.length),
  });
  families.gauge("status_pending", "objects whose status is to be compared or written, now", {
    read: () => [{ value: source.pendingStatuses() }],
  });
  registerApi(families, source);
}

function registerApi(families: Families, source: MetricSource): void {
  const { requests } = source;
  const labelNames = ["kind"];
  families.gauge("objects_undecodable", "objects that cannot be read, and are left out or kept in an older version", {
    labelNames,
    read: () => Array.from(source.unread(), ([kind, { undecodable }]) => ({ labels: { kind }, value: undecodable })),
  });
  families.total("unknown_fields_total", "fields of objects that this version does not know, and ignores", {
    labelNames,
    read: () =>
      Array.from(source.unread(), ([kind, { unknownFields }]) => ({ labels: { kind }, value: unknownFields })),
  });
  families.total("watches_total", "watches that were begun; they end by themselves every few minutes", {
    labelNames: ["resource"],
    read: () => Array.from(requests.watches, ([resource, value]) => ({ labels: { resource }, value })),
  });
  families.total("api_requests_total", "requests to the API server by status, 0 where no answer came", {
    labelNames: ["method", "code"],
    read: () =>
      Array.from(requests.requests, ([key, value]) => {
        const [method = "", code = ""] = key.split(" ", 2);
        return { labels: { method, code }, value };
      }),
  });
}

function countStatuses(families: Families): StatusObserver {
  const kind = ["kind"];
  const writes = families.counter("status_writes_total", "statuses written", kind);
  const conflicts = families.counter("status_conflicts_total", "statuses not written as the object had changed", kind);
  const failures = families.counter("status_failures_total", "statuses that the API server did not take", kind);
  const rivals = families.counter("status_rivals_total", "statuses that another controller keeps overwriting", kind);
  const latency = families.histogram(
    "status_write_seconds",
    "from when a status was found to be different until it was written",
    STATUS_BUCKETS,
  );
  return {
    written(name, millis) {
      writes.inc({ kind: name });
      latency.observe(millis / MS);
    },
    conflicted: (name) => conflicts.inc({ kind: name }),
    failed: (name) => failures.inc({ kind: name }),
    rivaled: (name) => rivals.inc({ kind: name }),
  };
}

function countLoop(families: Families): LoopObserver {
  const seconds = families.histogram("translation_seconds", "time that translations took", TRANSLATION_BUCKETS);
  const failures = families.counter("translation_failures_total", "changes that could not be carried out: bugs");
  let objects: Reading[] = [];
  let problems = 0;
  families.gauge("objects", "objects of the world that was translated last", {
    labelNames: ["kind"],
    read: () => objects,
  });
  families.gauge("problems", "what is wrong with objects, by the last translation", {
    read: () => [{ value: problems }],
  });
  return {
    translated(millis, translation, world) {
      seconds.observe(millis / MS);
      problems = translation.problems.length;
      objects = kindNames.map((kind) => ({ labels: { kind }, value: world.list(kind).length }));
    },
    failed: () => failures.inc(),
  };
}
