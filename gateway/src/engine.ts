/**
 * The engine of one isolate: holds the configuration in force, prepares the next one beside it (compiled in slices, new
 * ports bound), and switches when the epoch in shared memory moves. All workers have prepared by then, so a client never
 * sees the new configuration and afterwards the old one, whichever worker answers.
 *
 * Works alone in the main thread and as one of several workers; it does not know which.
 */
import type { Problem } from "@sallyport/model/problem";
import { invariant } from "@sallyport/model/result";
import { applyDelta, EMPTY_SNAPSHOT, type Snapshot, type SnapshotDelta } from "@sallyport/model/snapshot";
import type { ClusterSummary } from "./cluster/summary/contract.ts";
import type { Compilation, CompiledRuntime } from "./compile/contract.ts";
import type { NamedBlock } from "./observe/blocks.ts";
import type { CompiledBind, Runtime } from "./router/contract.ts";
import { toBindProblem } from "./workers/bind-problem.ts";
import type { Control } from "./workers/control.ts";
import { runInSlices } from "./workers/slices.ts";

/** A bound port as the engine handles it. */
export interface OpenPort {
  /** The port it is bound to. */
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Accepts nothing more and lets connections end with their exchange; resolves when the last one is gone. */
  retire(): Promise<void>;
  /** Ends everything now. */
  close(): Promise<void>;
}

/** What compiling one snapshot takes. */
export interface CompileInput {
  readonly epoch: number;
  readonly previous: CompiledRuntime | undefined;
  readonly snapshot: Snapshot;
  readonly delta: SnapshotDelta;
}

/** What the engine drives; composed of the compiler, the clusters and the codecs. */
export interface DataPlane {
  compile(input: CompileInput): Compilation;
  /** Binds; rejects with the error of listen(). Connections ask `runtime` for each request. */
  openPort(bind: CompiledBind, port: number, runtime: () => Runtime): Promise<OpenPort>;
  /** Names that have a block of metric cells of their own from now on. */
  learnBlocks(blocks: BlockAssignments): void;
  /** Closes upstream connections that no runtime from `active` on refers to. */
  disposeUnused(active: CompiledRuntime | undefined): void;
  /** For people. */
  inspectClusters(): readonly ClusterSummary[];
  /** Ends what is left, upstream connections too. */
  close(): Promise<void>;
}

/** Metric blocks by name. */
export interface BlockAssignments {
  readonly listeners: readonly NamedBlock[];
  readonly routes: readonly NamedBlock[];
  readonly clusters: readonly NamedBlock[];
}

/** The next configuration, relative to the one in force. */
export interface Change {
  readonly epoch: number;
  readonly delta: SnapshotDelta;
  /** Port to bind instead of 0, by bind key. */
  readonly ports: readonly (readonly [bind: string, port: number])[];
  /** Absent where nothing changed. */
  readonly blocks?: BlockAssignments;
}

/** What came of preparing: ready to switch where there are no problems, nothing kept where there are any. */
export interface Preparation {
  readonly problems: readonly Problem[];
  /** Every bound port by bind key. */
  readonly ports: readonly (readonly [bind: string, port: number])[];
}

/** An engine as people may look at it. */
export interface EngineState {
  readonly epoch: number;
  readonly listeners: readonly ListenerState[];
  readonly clusters: readonly ClusterSummary[];
}

/** A bound port as people may look at it. */
export interface ListenerState {
  /** `address:port` as configured. */
  readonly bind: string;
  readonly port: number;
  readonly connections: number;
  /** No longer configured; its last connections are ending. */
  readonly draining: boolean;
}

interface Pending {
  readonly runtime: CompiledRuntime;
  readonly opened: ReadonlyMap<string, OpenPort>;
}

interface RetiringPort {
  readonly key: string;
  readonly port: OpenPort;
  readonly gone: Promise<void>;
}

const NO_RUNTIME: Runtime = { epoch: 0, binds: new Map(), cluster: () => undefined };

/** One isolate's share of the data plane. */
export class Engine {
  readonly #plane: DataPlane;
  readonly #control: Control;
  #active: Runtime = NO_RUNTIME;
  #compiled: CompiledRuntime | undefined;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  #pending: Pending | undefined;
  readonly #ports = new Map<string, OpenPort>();
  readonly #retiring = new Set<RetiringPort>();

  constructor(plane: DataPlane, control: Control) {
    this.#plane = plane;
    this.#control = control;
  }

  /** The configuration in force: what a connection asks for each request. One atomic load where nothing changed. */
  readonly runtime = (): Runtime => {
    const epoch = this.#control.epoch;
    return epoch === this.#active.epoch ? this.#active : this.#switch(epoch);
  };

  /** Compiles a change and binds its new ports; serves neither yet. One at a time, each followed by settle(). */
  async prepare(change: Change): Promise<Preparation> {
    invariant(this.#pending === undefined, "a change is settled before the next is prepared");
    if (change.blocks !== undefined) this.#plane.learnBlocks(change.blocks);
    const snapshot = applyDelta(this.#snapshot, change.delta);
    const { epoch, delta } = change;
    const outcome = await runInSlices(this.#plane.compile({ epoch, previous: this.#compiled, snapshot, delta }));
    if (!outcome.ok) return { problems: outcome.error, ports: this.#toPorts() };
    const opened = new Map<string, OpenPort>();
    const problems = await this.#open(outcome.value, new Map(change.ports), opened);
    if (problems.length > 0) {
      await closeAll(opened.values());
      return { problems, ports: this.#toPorts() };
    }
    this.#pending = { runtime: outcome.value, opened };
    return { problems, ports: [...this.#toPorts(), ...[...opened].map(([key, { port }]) => [key, port] as const)] };
  }

  /** Ends a preparation: the epoch has moved (or has not, and never will, to this change). */
  settle(outcome: "activate" | "discard"): void {
    if (outcome === "activate") this.runtime();
    else this.#discard();
    this.#retireRemoved();
    this.#plane.disposeUnused(this.#compiled);
  }

  /** Accepts nothing more; resolves when the last connection is gone. */
  async retire(): Promise<void> {
    for (const [key, port] of this.#ports) this.#retire(key, port);
    await Promise.all([...this.#retiring].map((each) => each.gone));
  }

  /** Ends everything now. */
  async close(): Promise<void> {
    this.#discard();
    await closeAll(this.#ports.values());
    await closeAll([...this.#retiring].map(({ port }) => port));
    this.#ports.clear();
    await this.#plane.close();
  }

  /** For people. */
  inspect(): EngineState {
    const listeners: ListenerState[] = [];
    for (const [bind, port] of this.#ports) listeners.push(toListenerState(bind, port, false));
    for (const { key, port } of this.#retiring) listeners.push(toListenerState(key, port, true));
    return { epoch: this.#active.epoch, listeners, clusters: this.#plane.inspectClusters() };
  }

  #switch(epoch: number): Runtime {
    const pending = this.#pending;
    if (pending?.runtime.epoch !== epoch) return this.#active;
    this.#pending = undefined;
    this.#active = this.#compiled = pending.runtime;
    this.#snapshot = pending.runtime.snapshot;
    for (const [key, port] of pending.opened) this.#ports.set(key, port);
    pending.runtime.activate();
    return this.#active;
  }

  async #open(
    runtime: Runtime,
    ports: ReadonlyMap<string, number>,
    opened: Map<string, OpenPort>,
  ): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const [key, bind] of runtime.binds) {
      if (this.#ports.has(key)) continue;
      const port = ports.get(key) ?? bind.port;
      try {
        opened.set(key, await this.#plane.openPort(bind, port, this.#runtimeFor(key, runtime)));
      } catch (error) {
        problems.push(toBindProblem(error, { address: bind.address, port, listener: bind.fallback }));
      }
    }
    return problems;
  }

  /**
   * What a port asks for each request. Before the switch that is what opened it, for nothing older ever listened there; once
   * the port is gone from the configuration it is the last one that knew it, for the connections that are ending.
   */
  #runtimeFor(key: string, prepared: Runtime): () => Runtime {
    let known = prepared;
    return () => {
      const active = this.runtime();
      if (active !== known && active.epoch > known.epoch && active.binds.has(key)) known = active;
      return known;
    };
  }

  #discard(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    void closeAll(pending?.opened.values() ?? []);
  }

  /** Ports nobody configures any more let their connections end. */
  #retireRemoved(): void {
    for (const [key, port] of this.#ports) if (!this.#active.binds.has(key)) this.#retire(key, port);
  }

  #retire(key: string, port: OpenPort): void {
    this.#ports.delete(key);
    const retiring = { key, port, gone: port.retire() };
    this.#retiring.add(retiring);
    void retiring.gone.then(() => this.#retiring.delete(retiring));
  }

  #toPorts(): (readonly [string, number])[] {
    return [...this.#ports].map(([key, { port }]) => [key, port] as const);
  }
}

async function closeAll(ports: Iterable<OpenPort>): Promise<void> {
  await Promise.all([...ports].map((port) => port.close()));
}

function toListenerState(bind: string, { port, connections }: OpenPort, draining: boolean): ListenerState {
  return { bind, port, connections, draining };
}
