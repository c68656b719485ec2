/** What clusters stand on, in memory and driven by tests: connections, time, chance and counts. */
import type { Cluster } from "@sallyport/model/cluster";
import { DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { FaultReason } from "@sallyport/model/fault";
import { type ClusterOptions, PooledCluster } from "../../src/cluster/cluster.ts";
import type {
  ConnectionOwner,
  ConnectionRequest,
  EndpointLease,
  EndpointRequest,
  OpenOptions,
  UpstreamConnection,
  UpstreamEndpoint,
} from "../../src/cluster/contract.ts";
import { ClusterCountTable } from "../../src/observe/cluster-counts.ts";
import { NO_SLOT, type ActiveCounts } from "../../src/observe/contract.ts";

/** A connection whose codec is the test. */
export class FakeConnection implements UpstreamConnection {
  readonly endpoint: UpstreamEndpoint;
  readonly owner: ConnectionOwner;
  readonly tls: OpenOptions["tls"];
  readonly options: OpenOptions;
  capacity = 1;
  settled = true;
  upgradable = true;
  failureDetail = "";
  connected = false;
  isClosed = false;
  isDraining = false;
  /** The requests on it. */
  readonly users = new Set<FakeRequest>();

  constructor(options: OpenOptions) {
    this.endpoint = options.endpoint;
    this.owner = options.owner;
    this.tls = options.tls;
    this.options = options;
  }

  open(): never {
    throw new Error("clusters do not begin exchanges");
  }

  close(): void {
    if (this.users.size > 0) throw new Error("closed with requests on it");
    this.fail();
  }

  /** The handshake is over. */
  connect(capacity = this.capacity): void {
    this.settled = true;
    this.connected = true;
    this.capacity = capacity;
    this.owner.onConnected(this);
  }

  /** It can carry so many from now on. */
  allow(capacity: number): void {
    this.capacity = capacity;
    this.owner.onCapacity(this);
  }

  /** It takes nothing new; gone with the last that is on it. */
  drain(): void {
    if (this.users.size === 0) {
      this.fail();
      return;
    }
    this.isDraining = true;
    this.owner.onDraining(this);
  }

  /** The transport is gone. */
  fail(failure?: FaultReason): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.users.clear();
    this.owner.onClosed(this, failure);
  }

  /** The exchange on it (the oldest) is over. */
  finish(): void {
    if (!this.connected) this.connect();
    const [first] = this.users;
    if (first !== undefined) this.users.delete(first);
    this.owner.onIdle(this);
    if (this.isDraining && this.users.size === 0) this.fail();
  }
}

/** A request that notes what it got, and that it got it once. */
export class FakeRequest implements ConnectionRequest {
  readonly upgrades: boolean;
  connection: FakeConnection | undefined;
  reused: boolean | undefined;
  refusal: FaultReason | undefined;
  /** The connection whose failure refused it. */
  failed: UpstreamConnection | undefined;
  answers = 0;

  constructor(kind: "plain" | "upgrades" = "plain") {
    this.upgrades = kind === "upgrades";
  }

  assign(connection: UpstreamConnection, reused: boolean): void {
    if (!(connection instanceof FakeConnection)) throw new Error("a connection of somebody else");
    if (connection.isClosed || connection.isDraining) throw new Error("a closed connection was handed out");
    if (!connection.settled) throw new Error("a connection without a protocol was handed out");
    if (connection.users.size >= connection.capacity) throw new Error("a busy connection was handed out");
    if (this.upgrades && !connection.upgradable) throw new Error("a connection that does not upgrade was handed out");
    connection.users.add(this);
    this.connection = connection;
    this.reused = reused;
    this.answers++;
  }

  refuse(reason: FaultReason, failed?: UpstreamConnection): void {
    this.refusal = reason;
    this.failed = failed;
    this.answers++;
  }
}

/** Who wants an endpoint, and what came of it. */
export class FakeLeaser implements EndpointRequest {
  held: EndpointLease | undefined;
  refusal: FaultReason | undefined;
  answers = 0;

  assign(lease: EndpointLease): void {
    this.held = lease;
    this.answers++;
  }

  refuse(reason: FaultReason): void {
    this.refusal = reason;
    this.answers++;
  }
}

/** Counts per endpoint, one worker. */
class FakeCounts implements ActiveCounts {
  readonly byLabel = new Map<string, number>();
  readonly #counts: number[] = [];
  readonly #limit: number;

  constructor(limit = Infinity) {
    this.#limit = limit;
  }

  claim(_clusterKey: string, endpointLabel: string): number {
    const known = this.byLabel.get(endpointLabel);
    if (known !== undefined) return known;
    if (this.byLabel.size >= this.#limit) return NO_SLOT;
    const slot = this.#counts.push(0) - 1;
    this.byLabel.set(endpointLabel, slot);
    return slot;
  }

  release(slot: number): void {
    for (const [label, known] of this.byLabel) if (known === slot) this.byLabel.delete(label);
  }

  add(slot: number, change: 1 | -1): void {
    this.#counts[slot] = this.total(slot) + change;
  }

  total(slot: number): number {
    return this.#counts[slot] ?? 0;
  }
}

/** Everything a cluster asks of the outside, as fields. */
export class FakeOutside {
  time = 0;
  draw: () => number = () => 0;
  /** What connections are like when they are opened. */
  shape: (connection: FakeConnection) => void = () => undefined;
  /** Whether the next connections fail before opening returns. */
  failsAtOnce = false;
  pending = 0;
  reuses = 0;
  leftOut = 0;
  readonly opened: FakeConnection[] = [];
  /** What is to run later, whenever the test says. */
  readonly scheduled = new Map<() => void, number>();
  readonly overflows = { connections: 0, pending: 0, requests: 0, retries: 0 };
  breakersOpen = 0;
  /** What was told of limits. */
  readonly limits: string[] = [];
  /** Where limits are counted: other workers' tables are attached to its buffer. */
  readonly limitCounts: ClusterCountTable;
  readonly counts = new FakeCounts();

  constructor(limitCounts = new ClusterCountTable({ workers: 1, slots: 64 }, 0)) {
    this.limitCounts = limitCounts;
  }

  readonly options: ClusterOptions = {
    open: (options) => {
      const connection = new FakeConnection(options);
      this.shape(connection);
      this.opened.push(connection);
      if (this.failsAtOnce) connection.fail();
      return connection;
    },
    now: () => this.time,
    random: () => this.draw(),
    schedule: (milliseconds, run) => {
      this.scheduled.set(run, this.time + milliseconds);
      return () => void this.scheduled.delete(run);
    },
    counts: this.counts,
    limitCounts: { claim: (key) => this.limitCounts.claim(key) },
    onLimit: (_key, limit, { kind }) => void this.limits.push(`${limit} ${kind}`),
    recorder: {
      upstreamPending: (change) => void (this.pending += change),
      upstreamReuse: () => void this.reuses++,
      upstreamAddressesLeftOut: (count) => void (this.leftOut += count),
      upstreamOverflow: (limit) => void (this.overflows[limit] += 1),
      upstreamBreaker: (_limit, change) => void (this.breakersOpen += change),
    },
  };

  /** Time goes by, and what is due is done. */
  pass(milliseconds: number): void {
    this.time += milliseconds;
    for (const [run, due] of this.scheduled) {
      if (due > this.time) continue;
      this.scheduled.delete(run);
      run();
    }
  }
}

/** A cluster on the fakes, and how to ask it for a connection. */
export function setUpCluster(
  changes: Partial<Cluster> = {},
  endpoints: Endpoint[] = [toEndpoint(1)],
  outside = new FakeOutside(),
): ClusterSetUp {
  const config = toConfig(changes);
  const cluster = new PooledCluster(config, outside.options);
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints }, undefined);
  const acquire = (fresh = false, kind: "plain" | "upgrades" = "plain"): FakeRequest => {
    const request = new FakeRequest(kind);
    cluster.acquire(request, fresh);
    return request;
  };
  const lease = (avoid?: UpstreamEndpoint): FakeLeaser => {
    const leaser = new FakeLeaser();
    cluster.lease(leaser, avoid);
    return leaser;
  };
  return { outside, cluster, acquire, lease, config };
}

/** The same cluster in several workers, which count its limits together. */
export function setUpCrew(
  workers: number,
  changes: Partial<Cluster> = {},
  endpoints: Endpoint[] = [toEndpoint(1)],
): ClusterSetUp[] {
  const shape = { workers, slots: 64 };
  const { buffer } = new ClusterCountTable(shape, 0);
  return Array.from({ length: workers }, (_, worker) =>
    setUpCluster(changes, endpoints, new FakeOutside(new ClusterCountTable(shape, worker, buffer))),
  );
}

/** What setUpCluster gives. */
export interface ClusterSetUp {
  readonly outside: FakeOutside;
  readonly cluster: PooledCluster;
  readonly config: Cluster;
  readonly acquire: (fresh?: boolean, kind?: "plain" | "upgrades") => FakeRequest;
  readonly lease: (avoid?: UpstreamEndpoint) => FakeLeaser;
}

/** A cluster as configured, by default with the defaults. */
export function toConfig(changes: Partial<Cluster> = {}): Cluster {
  return {
    kind: "cluster",
    key: "ns/web:80",
    discovery: { kind: "endpoints" },
    protocol: "http1",
    ...DEFAULT_CLUSTER,
    ...changes,
  };
}

/** A ready endpoint 10.0.0.N:80. */
export function toEndpoint(n: number, changes: Partial<Endpoint> = {}): Endpoint {
  return { address: `10.0.0.${n}`, port: 80, weight: 1, state: "ready", ...changes };
}
