// The stage of a run: a private folder, the backend, and targets that are started on it and verified before they are
// measured.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import { backendLaunch, backendPaths } from "./backend.ts";
import type { Layout } from "./layout.ts";
import type { Peer, PeerSetup } from "./peers/peer.ts";
import { Ports } from "./ports.ts";
import { ask, pollUntilReady, waitUntilReady, type Question } from "./probe.ts";
import { processTree } from "./proc.ts";
import { benchHost } from "./requests.ts";
import { hostName } from "./sallyport-objects.ts";
import { Processes, type Running } from "./processes.ts";
import { writeCertificate, type CertificateFiles } from "./tls/certificate.ts";
import { pinnedContext } from "./tls/negotiation.ts";
import { askEcho } from "./udp/probe.ts";
import { repository } from "./tools.ts";

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
  readonly front: PeerSetup["front"];
  readonly accessLog: PeerSetup["accessLog"];
  readonly routes: PeerSetup["routes"];
}

/** A started peer. */
export interface Target extends Served {
  readonly choice: TargetChoice;
  /** What it passes requests or datagrams to. */
  readonly backend: Served;
  /** File of the certificate it presents; empty where there is no TLS. */
  readonly certificate: string;
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
  #echo: Served | undefined;
  #certificate: CertificateFiles | undefined;
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

  /** The backend of datagrams, which sends them back; starts it at the first call. */
  async echo(): Promise<Served> {
    this.#echo ??= await this.#startEcho();
    return this.#echo;
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
    const { peer, front, accessLog, routes } = choice;
    const backend = front === "udp" ? await this.echo() : await this.backend();
    const certificate = await this.#certificateFiles();
    const directory = this.newFolder(choice.peer.name.replaceAll(/[^a-z0-9]+/gi, "-"));
    const port = await this.#ports.take();
    const sparePorts = [await this.#ports.take(), await this.#ports.take()] as const;
    const setup = { directory, front, port, sparePorts, certificate, accessLog, routes };
    const launch = peer.launch({ ...setup, backendPort: backend.port });
    const running = await this.processes.start({ name: "proxy", launch, directory, processors: this.layout.proxy });
    const tls = front === "https" ? pinnedContext(readFileSync(certificate.cert)) : undefined;
    if (front === "udp") await pollUntilReady(running, () => askEcho(port));
    else await waitUntilReady(running, { port, tls, ...readyQuestion(routes) });
    const asked = routes === "one" && (front === "http" || front === "https");
    const notes = [...peer.deviations(front), ...(asked ? await workOf(port, peer.name, tls) : [])];
    const presented = front === "https" ? certificate.cert : "";
    const pids = processTree(running.pid);
    return { choice, backend, certificate: presented, running, port, directory, notes, pids };
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

  async #startEcho(): Promise<Served> {
    const directory = this.newFolder("echo");
    const port = await this.#ports.take();
    const program = join(repository, "loadtest/src/udp/echo.ts");
    const launch = { command: process.execPath, args: [program, String(port)] };
    const running = await this.processes.start({ name: "echo", launch, directory, processors: this.layout.backend });
    await pollUntilReady(running, () => askEcho(port));
    return { running, port, pids: processTree(running.pid) };
  }

  async #certificateFiles(): Promise<CertificateFiles> {
    this.#certificate ??= await writeCertificate(this.newFolder("certificate"), benchHost);
    return this.#certificate;
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

function readyQuestion(routes: PeerSetup["routes"]): Pick<Question, "host" | "path"> {
  if (routes === "many") return { host: hostName(0), path: "/part-0/ready" };
  return { host: benchHost, path: backendPaths.ready };
}

// Every peer is to add X-Forwarded-For and a request id: the backend tells whether it did.
async function workOf(port: number, name: string, tls: SecureContext | undefined): Promise<readonly string[]> {
  const { body } = await ask({ port, path: backendPaths.seen, tls });
  const [forwardedFor = "", requestId = ""] = body.split("\n");
  const missing = [];
  if (forwardedFor.trim() === "") missing.push("X-Forwarded-For");
  if (requestId.trim() === "") missing.push("X-Request-Id");
  return missing.length === 0 ? [] : [`${name} does less work: it adds no ${missing.join(" and no ")}.`];
}
