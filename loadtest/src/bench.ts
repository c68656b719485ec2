// The stage of a run: a private folder, the backend, and targets that are started on it and verified before they are
// measured.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendLaunch, backendPaths } from "./backend.ts";
import type { Layout } from "./layout.ts";
import type { Peer, PeerSetup } from "./peers/peer.ts";
import { Ports } from "./ports.ts";
import { ask, waitUntilReady } from "./probe.ts";
import { processTree } from "./proc.ts";
import { benchHost } from "./requests.ts";
import { hostName } from "./sallyport-objects.ts";
import { Processes, type Running } from "./processes.ts";

/** A server and all its processes. */
export interface Served {
  readonly running: Running;
  readonly port: number;
  readonly pids: readonly number[];
}

/** Which peer to start, and with which settings. */
export interface TargetChoice {
  readonly name: string;
  readonly peer: Peer;
  readonly accessLog: PeerSetup["accessLog"];
  readonly routes: PeerSetup["routes"];
}

/** A started peer. */
export interface Target extends Served {
  readonly choice: TargetChoice;
  readonly directory: string;
  /** In what its work differs from the others'. */
  readonly notes: readonly string[];
}

/** One run's folder, processes and backend. */
export class Bench {
  readonly directory: string;
  readonly layout: Layout;
  readonly processes: Processes = new Processes();
  readonly #ports = new Ports();
  #backend: Served | undefined;
  #started = 0;

  constructor(layout: Layout) {
    this.layout = layout;
    this.directory = mkdtempSync(join(tmpdir(), "sallyport-loadtest-"));
  }

  /** The backend; starts it at the first call. */
  async backend(): Promise<Served> {
    this.#backend ??= await this.startBackend();
    return this.#backend;
  }

  /** One more backend, with a body of its own. */
  async startBackend(body?: string): Promise<Served> {
    const directory = this.newFolder("backend");
    const port = await this.#ports.take();
    const launch = backendLaunch(directory, port, body);
    const running = await this.processes.start({ name: "backend", launch, directory, processors: this.layout.backend });
    await waitUntilReady(running, { port, path: backendPaths.ready });
    return { running, port, pids: processTree(running.pid) };
  }

  /** Starts a peer and asks it what it does to a request; throws, with its last words, when it does not get ready. */
  async startTarget(choice: TargetChoice): Promise<Target> {
    const backend = await this.backend();
    const directory = this.newFolder(choice.peer.name.replaceAll(/[^a-z0-9]+/gi, "-"));
    const port = await this.#ports.take();
    const sparePorts = [await this.#ports.take(), await this.#ports.take()] as const;
    const { peer, accessLog, routes } = choice;
    const launch = peer.launch({ directory, port, backendPort: backend.port, sparePorts, accessLog, routes });
    const running = await this.processes.start({ name: "proxy", launch, directory, processors: this.layout.proxy });
    const host = routes === "many" ? hostName(0) : benchHost;
    const path = routes === "many" ? "/part-0/ready" : backendPaths.ready;
    await waitUntilReady(running, { port, path, host });
    const notes = [...peer.deviations, ...(routes === "one" ? await workOf(port, peer.name) : [])];
    return { choice, running, port, directory, notes, pids: processTree(running.pid) };
  }

  /** A new folder inside the run's. */
  newFolder(name: string): string {
    const folder = join(this.directory, `${this.#started++}-${name}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** A free port for something that is not a target. */
  takePort(): Promise<number> {
    return this.#ports.take();
  }

  /** Ends all processes and removes the folder. */
  async close(): Promise<void> {
    await this.processes.stopAll();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Empties what a target has logged, so that long runs with an access log do not fill the disk. */
export function emptyLogs(target: Target): void {
  for (const file of [join(target.directory, "access.log"), target.running.stdoutFile]) {
    if (existsSync(file)) truncateSync(file, 0);
  }
}

// Every peer is to add X-Forwarded-For and a request id: the backend tells whether it did.
async function workOf(port: number, name: string): Promise<readonly string[]> {
  const { body } = await ask(port, backendPaths.seen);
  const [forwardedFor = "", requestId = ""] = body.split("\n");
  const missing = [];
  if (forwardedFor.trim() === "") missing.push("X-Forwarded-For");
  if (requestId.trim() === "") missing.push("X-Request-Id");
  return missing.length === 0 ? [] : [`${name} does less work: it adds no ${missing.join(" and no ")}.`];
}
