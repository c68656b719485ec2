/** Workers that share one table of health, driven by one clock: for tests of what they find out together. */
import type { Cluster } from "@sallyport/model/cluster";
import { DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import { ClusterHealth } from "../../src/cluster/health/cluster-health.ts";
import type { HealthOptions, ProbeResult } from "../../src/cluster/health/contract.ts";
import { HealthWatch } from "../../src/cluster/health/health-watch.ts";
import { EndpointHost } from "../../src/cluster/endpoint-host.ts";
import { ActiveTable, type ActiveShape } from "../../src/observe/active-counts.ts";
import { Fuse, Killed, toMortalHealth } from "./mortality.ts";

/** A point in time at which something happens. */
interface Alarm {
  readonly at: number;
  readonly worker: number;
  readonly run: () => void;
}

/** A log line of a worker. */
export interface SeenLine {
  readonly worker: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One worker: its view of the table, its hosts and their health. */
export class CrewMember {
  readonly worker: number;
  readonly table: ActiveTable;
  readonly hosts = new Map<string, EndpointHost>();
  readonly watch: HealthWatch;
  readonly health: ClusterHealth;
  refreshes = 0;
  isAlive = true;
  readonly #fuse = new Fuse();

  constructor(crew: Crew, worker: number) {
    this.worker = worker;
    this.table = new ActiveTable(crew.shape, worker, crew.table.buffer);
    this.watch = new HealthWatch({
      ...crew.toOptions(worker, toMortalHealth(this.table, worker, this.#fuse)),
      now: () => crew.now,
      random: () => crew.random(),
      schedule: (milliseconds, run) => crew.schedule(worker, milliseconds, run),
    });
    const owner = { key: crew.config.key, refresh: () => this.refreshes++ };
    this.health = new ClusterHealth(this.watch, this.#iterable(), owner);
    this.follow(crew);
    this.health.update(crew.config, undefined);
  }

  /** Takes over the endpoints that the crew has now. */
  follow({ config, labels }: Crew): void {
    for (const label of labels) {
      const host = this.hosts.get(label) ?? new EndpointHost(toEndpoint(label), config.key, this.table);
      host.state = "ready";
      this.hosts.set(label, host);
    }
    for (const [label, host] of this.hosts) {
      if (labels.includes(label)) continue;
      host.state = "removed";
      this.health.follow();
      this.hosts.delete(label);
      host.release();
    }
    this.health.follow();
  }

  /** Operations on words until it is killed. */
  set fuse(operations: number) {
    this.#fuse.left = operations;
  }

  #iterable(): Iterable<EndpointHost> {
    return { [Symbol.iterator]: () => this.hosts.values() };
  }
}

/** What a crew is made of. */
export interface CrewOptions {
  readonly shape: ActiveShape;
  readonly config: Partial<Cluster>;
  readonly labels: readonly string[];
  readonly random?: () => number;
}

/** All workers. */
export class Crew {
  readonly shape: ActiveShape;
  /** The supervisor's view. */
  readonly table: ActiveTable;
  readonly config: Cluster;
  readonly random: () => number;
  readonly members: CrewMember[] = [];
  readonly lines: SeenLine[] = [];
  labels: readonly string[];
  now = 1000;
  /** How often workers looked at the clock. */
  clockReads = 0;
  /** What a check of this endpoint comes to. */
  wellness: (label: string) => ProbeResult = () => ({ outcome: "passed", detail: "" });
  /** Checks begun, by endpoint. */
  readonly checks = new Map<string, number>();
  /** Milliseconds a check takes. */
  checkTime = 5;
  #alarms: Alarm[] = [];

  constructor({ shape, config, labels, random = () => 0.5 }: CrewOptions) {
    this.shape = shape;
    this.table = new ActiveTable(shape, 0);
    this.labels = labels;
    this.random = random;
    this.config = {
      kind: "cluster",
      key: "default/web:80",
      discovery: { kind: "endpoints" },
      protocol: "http1",
      ...DEFAULT_CLUSTER,
      ...config,
    };
    for (let worker = 0; worker < shape.workers; worker++) this.members.push(new CrewMember(this, worker));
  }

  /** Those that live. */
  get living(): readonly CrewMember[] {
    return this.members.filter(({ isAlive }) => isAlive);
  }

  isAlive(worker: number): boolean {
    return this.members[worker]?.isAlive === true;
  }

  host(worker: number, label: string): EndpointHost {
    const host = this.members[worker]?.hosts.get(label);
    if (host === undefined) throw new Error(`worker ${worker} has no ${label}`);
    return host;
  }

  /** A worker does something, which may be its end. */
  act(worker: number, run: (member: CrewMember) => void): void {
    const member = this.members[worker];
    if (member?.isAlive !== true) return;
    try {
      run(member);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.bury(member);
    }
  }

  /** It writes no more; the supervisor frees what it held. */
  bury(member: CrewMember): void {
    member.isAlive = false;
    this.#alarms = this.#alarms.filter(({ worker }) => worker !== member.worker);
    this.table.clearWorker(member.worker);
  }

  /** Puts another in the place of a dead one. */
  replace(worker: number): void {
    if (this.members[worker]?.isAlive === false) this.members[worker] = new CrewMember(this, worker);
  }

  /** Lets time pass, and what falls due happen. */
  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const due = this.#alarms.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
      const [first] = due;
      if (first === undefined) break;
      this.#alarms.splice(this.#alarms.indexOf(first), 1);
      this.now = Math.max(this.now, first.at);
      this.act(first.worker, first.run);
    }
    this.now = until;
  }

  schedule(worker: number, milliseconds: number, run: () => void): () => void {
    const alarm = { at: this.now + milliseconds, worker, run };
    this.#alarms.push(alarm);
    return () => {
      const at = this.#alarms.indexOf(alarm);
      if (at >= 0) this.#alarms.splice(at, 1);
    };
  }

  toOptions(worker: number, shared: HealthOptions["shared"]): HealthOptions {
    return {
      worker,
      shared,
      clock: () => {
        this.clockReads++;
        return this.now;
      },
      log: {
        info: (message, fields) => void this.lines.push({ worker, message, fields }),
        warn: (message, fields) => void this.lines.push({ worker, message, fields }),
      },
      probe: ({ address, port }, done) => {
        const label = `${address}:${port}`;
        this.checks.set(label, (this.checks.get(label) ?? 0) + 1);
        return this.schedule(worker, this.checkTime, () => done(this.wellness(label)));
      },
    };
  }
}

/** `10.0.0.N:80`. */
export function toLabels(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `10.0.0.${at + 1}:80`);
}

/** An endpoint by its label. */
export function toEndpoint(label: string): ConstructorParameters<typeof EndpointHost>[0] {
  const [address = "", port] = label.split(":");
  return { address, port: Number(port), weight: 1, state: "ready" };
}
