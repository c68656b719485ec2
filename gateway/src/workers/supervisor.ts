/**
 * The supervisor: takes configurations, steers the workers, shows what runs, and ends it all in order. It serves no request
 * itself unless it is the only isolate.
 */
import { clearInterval, setInterval } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { toHostPort } from "@sallyport/model/listener";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { OperatorServer } from "../admin/http.ts";
import type { AdminSource } from "../admin/source.ts";
import type { Place } from "../cluster/contract.ts";
import type { Exposition } from "../observe/exposition.ts";
import { readOpenFilesLimit } from "../listener/budget.ts";
import { Log, toLogLevel } from "../observe/log.ts";
import type { GatewayFacts, MetricSource } from "../observe/metric-source.ts";
import { Series } from "../observe/series.ts";
import { resolveAccessLog } from "./access-output.ts";
import { StartFailure, type ApplyResult, type Gateway, type GatewayOptions, type HostPort } from "./contract.ts";
import { resolveOptions, type ResolvedOptions } from "./defaults.ts";
import { MemoryGuard } from "./memory-guard.ts";
import { attachMemory, createMemory, type MemorySetup, type SharedMemory } from "./memory.ts";
import type { Member } from "./member.ts";
import { openProcessLogSink } from "./process-log.ts";
import { listenToSignals } from "./signals.ts";
import { openTeam, type Team } from "./team.ts";
import { TwoPhase } from "./two-phase.ts";

/** Milliseconds between looks at resident memory. */
const MEMORY_CHECK = 1_000;
/** Milliseconds that session tickets are made with the same keys. */
const SESSION_KEYS_LIFE = 43_200_000;

/** Starts workers, admin API and metrics; serves nothing before the first apply. Rejects with a StartFailure. */
export async function startGateway(given: GatewayOptions): Promise<Gateway> {
  const options = resolveOptions(given);
  const accessLog = resolveAccessLog(given.accessLog);
  const setup = createMemory(options.workers, options.labels);
  const supervisor = new Supervisor(options, setup);
  try {
    await supervisor.start(setup, accessLog);
  } catch (error) {
    await supervisor.close();
    throw error;
  }
  return supervisor;
}

class Supervisor implements Gateway {
  readonly #options: ResolvedOptions;
  readonly #memory: SharedMemory;
  readonly #series: Series;
  readonly #log: Log;
  readonly #configuration: TwoPhase;
  readonly #closed = Promise.withResolvers<void>();
  readonly #cleanups: (() => void)[] = [];
  #team: Team | undefined;
  #place: Place | undefined;
  #admin: OperatorServer | undefined;
  #metrics: OperatorServer | undefined;
  #exposition: Promise<Exposition> | undefined;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedOptions, setup: MemorySetup) {
    this.#options = options;
    this.#place = options.given.place;
    this.#memory = attachMemory(setup, 0);
    this.#series = new Series(this.#memory.cells);
    const { control } = this.#memory;
    control.setLogLevel(options.log.level);
    this.#log = new Log({
      format: options.log.format,
      sink: openProcessLogSink(),
      level: control.logLevel,
      now: Date.now,
    });
    this.#configuration = new TwoPhase({
      control,
      series: this.#series,
      log: this.#log,
      members: () => this.#team?.members() ?? [],
      ports: options.workers === 1 ? "exclusive" : "shared",
    });
  }

  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  get metricsPort(): number | undefined {
    return this.#metrics?.port;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async start(setup: MemorySetup, accessLog: ReturnType<typeof resolveAccessLog>): Promise<void> {
    const { given } = this.#options;
    this.#team = await openTeam({
      options: this.#options,
      memory: setup,
      accessLog,
      log: this.#log,
      join: (member, onJoined) => {
        if (this.#place !== undefined) move(member, this.#place);
        return this.#configuration.join(member, onJoined);
      },
    });
    if (this.#place !== undefined) this.place(this.#place);
    await this.#openServers(given.admin, given.metrics);
    this.#watchMemory();
    this.#rotateSessionKeys();
    if (given.signals !== "handle") return;
    const stop = listenToSignals({
      drain: (signal) => {
        this.#log.info("signal received, draining", { signal });
        void this.drain();
      },
      close: (signal) => {
        this.#log.info("second signal received, closing now", { signal });
        void this.close();
      },
      reopenLog: () => void this.#reopenLogs(),
    });
    this.#cleanups.push(stop);
  }

  apply(snapshot: Snapshot): Promise<ApplyResult> {
    if (this.#closing !== undefined) return Promise.reject(new Error("the gateway is closed"));
    return this.#configuration.apply(snapshot);
  }

  place(place: Place): void {
    this.#place = place;
    for (const member of this.#team?.members() ?? []) move(member, place);
  }

  ports(): ReadonlyMap<string, number> {
    return this.#configuration.ports;
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    const { minimum, maximum } = this.#options.drain;
    const { control } = this.#memory;
    const started = performance.now();
    control.stage = "draining";
    this.#log.info("draining", { minimumMs: minimum, maximumMs: maximum });
    if (!(await this.#within(minimum, undefined))) return;
    control.stage = "closing";
    this.#team?.stopReplacing();
    const retired = (this.#team?.members() ?? []).map((member) => member.retire().catch(() => undefined));
    const left = Math.max(0, maximum - (performance.now() - started));
    await this.#within(left, Promise.all(retired));
    await this.close();
  }

  /** Waits so long, or until `early`; false where everything was closed meanwhile. */
  async #within(milliseconds: number, early: Promise<unknown> | undefined): Promise<boolean> {
    const abort = new AbortController();
    const over = sleep(milliseconds, undefined, { signal: abort.signal }).catch(() => undefined);
    await Promise.race([over, this.closed, ...(early === undefined ? [] : [early])]);
    abort.abort();
    return this.#closing === undefined;
  }

  async #close(): Promise<void> {
    this.#memory.control.stage = "closing";
    for (const cleanup of this.#cleanups) cleanup();
    await this.#team?.close();
    await Promise.all([this.#admin?.close(), this.#metrics?.close()].filter((each) => each !== undefined));
    this.#log.info("closed");
    this.#closed.resolve();
  }

  async #openServers(admin: HostPort | undefined, metrics: HostPort | undefined): Promise<void> {
    if (admin === undefined && metrics === undefined) return;
    const { openAdmin } = await import("../admin/server.ts");
    const { openMetricsServer } = await import("../admin/metrics-server.ts");
    const source = this.#toAdminSource();
    const onError = (error: unknown): void => this.#log.error("an operator's request failed", { error });
    if (admin !== undefined) {
      this.#admin = await openAdmin(admin, source, onError).catch(failToListen("the admin API", "--admin", admin));
      this.#memory.control.adminPort = this.#admin.port;
    }
    if (metrics === undefined) return;
    this.#metrics = await openMetricsServer(metrics, source, onError).catch(
      failToListen("the metrics server", "--metrics", metrics),
    );
  }

  #toAdminSource(): AdminSource {
    const { control } = this.#memory;
    const { cells, active } = this.#memory;
    const metrics: MetricSource = { cells, active, series: this.#series, facts: () => this.#facts() };
    return {
      metrics,
      snapshot: () => this.#configuration.snapshot,
      stage: () => control.stage,
      workers: () => this.#team?.inspect() ?? Promise.resolve([]),
      exposition: () => this.#openExposition(metrics),
      logLevel: () => toLogLevel(control.logLevel[0] ?? 0),
      setLogLevel: (level) => control.setLogLevel(level),
      drain: () => void this.drain(),
      hooks: this.#team?.hooks,
    };
  }

  async #openExposition(source: MetricSource): Promise<Exposition> {
    const { openExposition } = await import("../observe/exposition.ts");
    this.#exposition ??= openExposition(source);
    return this.#exposition;
  }

  #facts(): GatewayFacts {
    const { control } = this.#memory;
    const { epoch, stage, pressure } = control;
    return {
      epoch,
      ...this.#configuration.counts,
      ready: epoch > 0 && stage === "serving",
      pressure: pressure === "none" ? 0 : pressure === "shed" ? 2 : 1,
      workersServing: this.#team?.members().length ?? 0,
      workersDied: this.#team?.died ?? 0,
      workersHung: this.#team?.hung ?? 0,
      maxFiles: readOpenFilesLimit(),
      remote: this.#options.given.remote?.(),
    };
  }

  #watchMemory(): void {
    const { memory } = this.#options;
    if (memory.limit === 0) return;
    const guard = new MemoryGuard(memory);
    const { control } = this.#memory;
    const timer = setInterval(() => {
      const resident = process.memoryUsage.rss();
      const pressure = guard.look(resident);
      if (pressure === control.pressure) return;
      this.#log.warn("memory pressure changed", {
        from: control.pressure,
        to: pressure,
        resident,
        limit: memory.limit,
      });
      control.pressure = pressure;
    }, MEMORY_CHECK);
    timer.unref();
    this.#cleanups.push(() => clearInterval(timer));
  }

  #rotateSessionKeys(): void {
    const timer = setInterval(() => this.#memory.sessionKeys.rotate(), SESSION_KEYS_LIFE);
    timer.unref();
    this.#cleanups.push(() => clearInterval(timer));
  }

  async #reopenLogs(): Promise<void> {
    this.#log.info("opening the access log anew");
    await Promise.all((this.#team?.members() ?? []).map((member) => member.reopenLog().catch(() => undefined)));
  }
}

/** One that dies meanwhile is replaced by one that is told when it joins. */
function move(member: Member, place: Place): void {
  member.moveTo(place).catch(() => undefined);
}

/** For the operator who started us: what, where, why, and which option helps. */
function failToListen(what: string, option: string, { host, port }: HostPort): (cause: unknown) => never {
  return (cause) => {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const why = code === "EADDRINUSE" ? "the port is in use" : cause instanceof Error ? cause.message : String(cause);
    const place = toHostPort({ address: host, port });
    throw new StartFailure(`${what} cannot listen on ${place}: ${why}; choose another place with ${option} HOST:PORT`, {
      cause,
    });
  };
}
