/** Puts the parts of one isolate together: codecs, clusters, compiler, recorder and access log, under one engine. */
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import type { Capabilities } from "@sallyport/policies/filter";
import type { ClusterTable, Place } from "./cluster/contract.ts";
import { toClusterNews } from "./cluster-news.ts";
import { openResolver } from "./cluster/dns/resolver.ts";
import { openClusterTable } from "./cluster/table.ts";
import { compileRuntime } from "./compile/compile.ts";
import type { Compilation, CompiledRuntime } from "./compile/contract.ts";
import type { BlockAssignments, CompileInput, DataPlane, OpenPort } from "./engine.ts";
import type { DatagramPortOptions } from "./datagram/port.ts";
import type { ExchangeDependencies } from "./exchange/dependencies.ts";
import { RequestIds } from "./head/request-id.ts";
import { openUpstream } from "./upstream/open.ts";
import { HANDSHAKES_PER_TURN, openBind } from "./listener/bind.ts";
import { openTls } from "./wire/tls-module.ts";
import { TurnBudget } from "./listener/turn-budget.ts";
import { BudgetShare, ConnectionBudget, connectionLimit, readOpenFilesLimit } from "./listener/budget.ts";
import { compileAccessFormat } from "./observe/access-format.ts";
import { AccessLog, type AccessOutput } from "./observe/access-log.ts";
import { WallClock } from "./observe/access-time.ts";
import { OTHER_BLOCK, type NamedBlock } from "./observe/blocks.ts";
import { GLOBAL } from "./observe/cells.ts";
import { openOutput } from "./observe/line-output.ts";
import { monotonicNow } from "./observe/health-words.ts";
import type { Log } from "./observe/log.ts";
import { CellRecorder } from "./observe/recorder.ts";
import { toOpenProbe } from "./probe/open.ts";
import { KeptBodies } from "./retry/kept-bodies.ts";
import type { CompiledBind, Runtime } from "./router/contract.ts";
import { openClocks } from "./time/ticker.ts";
import { reservePort } from "./wire/own-ports.ts";
import type { Control } from "./workers/control.ts";
import type { SharedMemory } from "./workers/memory.ts";
import { startVitals } from "./workers/vitals.ts";

/** What one isolate's data plane is made of. */
export interface DataPlaneOptions {
  readonly worker: number;
  /** How many isolates share ports and limits. */
  readonly workers: number;
  readonly memory: SharedMemory;
  readonly accessLog: AccessOutput | undefined;
  readonly labels: { readonly routes: number; readonly clusters: number };
  readonly log: Log;
  /** Milliseconds between heartbeats. */
  readonly beat: number;
}

/** Milliseconds between looks for upstream connections that have been idle too long. */
const SWEEP = 1_000;
/** Milliseconds the access log may take to write its last lines. */
const LOG_PATIENCE = 1_000;

/** The parts of one isolate. */
export class IsolateDataPlane implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #accessLog: AccessLog | undefined;
  readonly #clusters: ClusterTable;
  readonly #dependencies: ExchangeDependencies;
  readonly #budget: ConnectionBudget;
  readonly #datagramBudget: BudgetShare;
  readonly #handshakes = new TurnBudget(HANDSHAKES_PER_TURN);
  readonly #clocks = openClocks();
  readonly #sweep: NodeJS.Timeout;
  readonly #stopVitals: () => void;
  readonly #freePort: () => void;
  #listenerBlocks: ReadonlyMap<string, number> = new Map();
  #routeBlocks: ReadonlyMap<string, number> = new Map();
  #clusterBlocks: ReadonlyMap<string, number> = new Map();

  constructor(options: DataPlaneOptions) {
    const { memory, worker, workers, log } = options;
    this.#options = options;
    this.#accessLog = openAccessLog(options);
    const recorder = this.#openRecorder();
    const clocks = this.#clocks;
    this.#dependencies = {
      recorder,
      ids: new RequestIds(),
      clocks,
      log,
      pressure: toPressure(memory.control),
      now: () => performance.now(),
      random: Math.random,
      kept: new KeptBodies(),
      pool: [],
    };
    this.#freePort = reservePort(() => memory.control.adminPort);
    this.#clusters = openClusterTable({
      open: (open) => openUpstream(open, { clocks, recorder, log }),
      now: () => performance.now(),
      random: Math.random,
      schedule,
      resolver: openResolver(),
      counts: memory.active,
      limitCounts: memory.limits,
      health: {
        worker,
        shared: memory.active.health,
        clock: monotonicNow,
        probe: toOpenProbe({ clocks, log }),
        log,
      },
      recorder,
      ...toClusterNews(log),
    });
    this.#budget = new ConnectionBudget(connectionLimit(readOpenFilesLimit(), workers));
    this.#datagramBudget = new BudgetShare(this.#budget);
    this.#sweep = setInterval(() => this.#clusters.sweep(), SWEEP);
    this.#sweep.unref();
    this.#stopVitals = startVitals(memory, worker, options.beat, this.#toRefusalCounter());
  }

  compile(input: CompileInput): Compilation {
    const capabilities: Omit<Capabilities, "page"> = { random: Math.random, delay };
    const metricsBlock = (key: string): number => this.#listenerBlocks.get(key) ?? OTHER_BLOCK;
    return compileRuntime({ ...input, dependencies: { clusters: this.#clusters, capabilities, metricsBlock } });
  }

  openPort(bind: CompiledBind, port: number, runtime: () => Runtime): Promise<OpenPort> {
    const reusePort = this.#options.workers > 1;
    const place = { address: bind.address, port, reusePort, bindKey: bind.key, runtime };
    const dependencies = this.#dependencies;
    if (bind.transport === "udp")
      return openUdp({
        ...place,
        budget: this.#datagramBudget,
        dependencies: { ...dependencies, log: this.#options.log },
      });
    // now, and not while the first client waits for its handshake
    if (bind.transport === "tls") openTls();
    const { sessionKeys, active } = this.#options.memory;
    const shared = { budget: this.#budget, counts: active, handshakes: this.#handshakes, sessionKeys };
    return openBind({ ...place, ...shared, dependencies });
  }

  learnBlocks({ listeners, routes, clusters }: BlockAssignments): void {
    this.#listenerBlocks = toMap(listeners);
    this.#routeBlocks = toMap(routes);
    this.#clusterBlocks = toMap(clusters);
  }

  disposeUnused(active: CompiledRuntime | undefined): void {
    if (active === undefined) this.#clusters.disposeUnused(new Set());
    else active.disposeUnused();
  }

  inspectClusters(): ReturnType<ClusterTable["summaries"]> {
    return this.#clusters.summaries();
  }

  /** Prefers endpoints that are meant for this place. */
  moveTo(place: Place): void {
    this.#clusters.moveTo(place);
  }

  /** Opens the access log anew. */
  reopenLog(): void {
    this.#accessLog?.reopen();
  }

  async close(): Promise<void> {
    this.#stopVitals();
    clearInterval(this.#sweep);
    this.#clocks.coarse.stop();
    this.#clocks.fine.stop();
    this.#clusters.close();
    this.#freePort();
    await this.#accessLog?.close(LOG_PATIENCE);
  }

  #openRecorder(): CellRecorder {
    const { memory, worker, labels } = this.#options;
    const log = this.#accessLog;
    return new CellRecorder({
      cells: memory.cells,
      worker,
      ...(labels.routes > 0 && {
        routeBlock: (name: string) => this.#routeBlocks.get(toRouteKey(name)) ?? OTHER_BLOCK,
      }),
      ...(labels.clusters > 0 && { clusterBlock: (name: string) => this.#clusterBlocks.get(name) ?? OTHER_BLOCK }),
      ...(log !== undefined && { onExchange: (record) => log.record(record) }),
    });
  }

  /** The budget counts for one life of the worker, the cell for all. */
  #toRefusalCounter(): (cells: Float64Array) => void {
    let counted = 0;
    return (cells) => {
      const { refused } = this.#budget;
      cells[GLOBAL.refused] = (cells[GLOBAL.refused] ?? 0) + refused - counted;
      counted = refused;
    };
  }
}

/** Loaded with the first UDP port: most gateways have none. */
async function openUdp(options: DatagramPortOptions): Promise<OpenPort> {
  const { openDatagramPort } = await import("./datagram/port.ts");
  return openDatagramPort(options);
}

function openAccessLog({ accessLog, memory, worker, workers, log }: DataPlaneOptions): AccessLog | undefined {
  if (accessLog === undefined) return undefined;
  const clock = new WallClock();
  const format = compileAccessFormat(accessLog.format, { clock, environment: process.env });
  if (!format.ok) throw new Error(format.error);
  const output = openOutput(accessLog.target, workers > 1 ? memory.control.outputLock(worker) : undefined);
  return new AccessLog({ format: format.value, output, clock, cells: memory.cells.stripe(worker), log });
}

/** What exchanges look at for each request: shared memory, read anew each time. */
function toPressure(control: Control): ExchangeDependencies["pressure"] {
  return {
    get stopKeepAlive() {
      return !control.keepsAlive;
    },
    get shed() {
      return control.pressure === "shed";
    },
    get draining() {
      return control.stage !== "serving";
    },
  };
}

function schedule(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Exchanges name their rule, too: `namespace/name/rule`. */
function toRouteKey(name: string): string {
  return name.slice(0, name.lastIndexOf("/"));
}

function toMap(blocks: readonly NamedBlock[]): ReadonlyMap<string, number> {
  return new Map(blocks);
}
