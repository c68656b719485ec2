// The namespaces a cluster lives in, and the orders to their first process: what to start in them, and how that ended.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beginningOf, type ClusterPaths, endCapsule, logTail, writeRecord } from "./state.ts";

/** A process to start in the capsule. */
export interface Order {
  /** Names the log file too. */
  readonly name: string;
  readonly argv: readonly string[];
  /** NAME=VALUE. */
  readonly env?: readonly string[];
  /** What it reads on its standard input. */
  readonly input?: string;
}

interface CapsuleEvent {
  readonly event: "capsule" | "ready" | "started" | "refused" | "ended" | "detached";
  readonly name?: string;
  readonly pid?: number;
  readonly code: number;
  readonly message?: string;
}

/** What a capsule is made of. */
export interface CapsuleOptions {
  readonly paths: ClusterPaths;
  readonly runtime: string;
  readonly kubernetes: string;
  readonly hostname: string;
  /** Directories of the machine that the cluster sees although they may be below /run, /tmp or /var. */
  readonly keep: readonly string[];
}

/** The first process of a cluster, while whoever started it is there. */
export class Capsule {
  readonly #process: ChildProcess;
  readonly #paths: ClusterPaths;
  readonly #waiting: {
    readonly accepts: (told: CapsuleEvent) => boolean;
    readonly resolve: (told: CapsuleEvent) => void;
  }[] = [];
  readonly #started: Promise<unknown>;
  readonly #failed = Promise.withResolvers<never>();
  #pid = 0;
  #began = "";
  #isWatched = true;

  constructor(options: CapsuleOptions) {
    this.#paths = options.paths;
    this.#failed.promise.catch(() => {}); // told where something waits
    const log = openSync(join(options.paths.logs, "capsule.log"), "a");
    const keep = options.keep.flatMap((directory) => ["-keep", directory]);
    this.#process = spawn(options.runtime, ["capsule", "-hostname", options.hostname, ...keep], {
      stdio: ["pipe", "pipe", log],
      detached: true,
    });
    closeSync(log);
    this.#process.on("error", (error) => this.#failed.reject(error));
    // Orders to a process that has gone: #readEvents says so.
    this.#process.stdin?.on("error", () => {});
    this.#started = Promise.all([
      this.#next((told) => told.event === "capsule").then((told) => {
        this.#pid = told.pid ?? 0;
        this.#began = beginningOf(this.#pid) ?? "";
        writeRecord(options.paths, { pid: this.#pid, began: this.#began, kubernetes: options.kubernetes });
      }),
      this.#next((told) => told.event === "ready"),
    ]);
    void this.#readEvents();
  }

  /** Of the first process, on the machine. */
  get pid(): number {
    return this.#pid;
  }

  /** Resolves once orders can be given. */
  async ready(): Promise<void> {
    await this.guard(this.#started);
  }

  /** Starts a component, which goes on; if it ends, whatever is guarded fails. Resolves with its pid in the capsule. */
  async start(order: Order): Promise<number> {
    const started = this.#next((told) => told.event === "started" && told.name === order.name);
    this.#order(order);
    return (await this.guard(started)).pid ?? 0;
  }

  /** Runs a command to its end; throws with its output where it fails. */
  async run(order: Order): Promise<void> {
    const ended = this.#next((told) => told.event === "ended" && told.name === order.name);
    this.#order(order);
    const { code } = await this.guard(ended);
    if (code !== 0)
      throw new Error(`${order.name} failed with code ${code}:\n${await logTail(this.#paths, order.name)}`);
  }

  /** The same promise, but failing as soon as a component ends or the capsule does. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failed.promise]);
  }

  /** From here on the cluster outlives this process. */
  async detach(): Promise<void> {
    const detached = this.#next((told) => told.event === "detached");
    this.#send({ detach: true });
    await this.guard(detached);
    this.#isWatched = false;
    this.#process.stdin?.destroy();
    this.#process.stdout?.destroy();
    this.#process.unref();
  }

  /** Ends it with everything in it. */
  async close(): Promise<void> {
    this.#isWatched = false;
    if (this.#pid === 0) this.#process.stdin?.destroy(); // not there yet: it ends with its orders
    else await endCapsule({ pid: this.#pid, began: this.#began });
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, "exit");
  }

  #order({ name, argv, env = [], input = "" }: Order): void {
    this.#send({ name, argv, env, input, log: join(this.#paths.logs, `${name}.log`) });
  }

  #send(order: object): void {
    this.#process.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  #next(accepts: (told: CapsuleEvent) => boolean): Promise<CapsuleEvent> {
    const { promise, resolve } = Promise.withResolvers<CapsuleEvent>();
    this.#waiting.push({ accepts, resolve });
    return promise;
  }

  async #readEvents(): Promise<void> {
    const { stdout } = this.#process;
    if (stdout === null) return;
    for await (const line of createInterface({ input: stdout })) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by our own process
      await this.#hear(JSON.parse(line) as CapsuleEvent);
    }
    if (this.#isWatched) await this.#fail("the capsule ended", "capsule");
  }

  async #hear(told: CapsuleEvent): Promise<void> {
    const at = this.#waiting.findIndex(({ accepts }) => accepts(told));
    if (at >= 0) {
      this.#waiting.splice(at, 1).forEach(({ resolve }) => resolve(told));
      return;
    }
    if (!this.#isWatched) return;
    if (told.event === "refused") await this.#fail(`${told.name} cannot be started: ${told.message}`, "capsule");
    if (told.event === "ended") await this.#fail(`${told.name} ended with code ${told.code}`, told.name ?? "capsule");
  }

  async #fail(what: string, component: string): Promise<void> {
    const tail = await logTail(this.#paths, component);
    this.#failed.reject(new Error(`${what}; the end of ${join(this.#paths.logs, component)}.log:\n${tail}`));
  }
}
