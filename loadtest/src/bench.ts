// The stage of a run: a private folder, the backend, and targets that are started on it and verified before they are
// measured.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import { backendLaunch, backendPaths } from "./backend.ts";
import { askHttp2, callGrpc } from "./http2/probe.ts";
import type { Layout } from "./layout.ts";
import { launchTool } from "./peers/packaged.ts";
import { frontTraits, type Peer, type PeerSetup } from "./peers/peer.ts";
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
  readonly policies: PeerSetup["policies"];
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
  #grpcBackend: Served | undefined;
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
    const { peer, front, accessLog, routes, policies } = choice;
    const backend = await this.#backendOf(front);
    const certificate = await this.#certificateFiles();
    const directory = this.newFolder(choice.peer.name.replaceAll(/[^a-z0-9]+/gi, "-"));
    const port = await this.#ports.take();
    const sparePorts = [await this.#ports.take(), await this.#ports.take()] as const;
    const setup = { directory, front, port, sparePorts, certificate, accessLog, routes, policies };
    const launch = peer.launch({ ...setup, backendPort: backend.port });
    const running = await this.processes.start({ name: "proxy", launch, directory, processors: this.layout.proxy });
    const secure = frontTraits[front].tls === "on";
    const tls = secure ? pinnedContext(readFileSync(certificate.cert)) : undefined;
    await waitUntilServed(running, choice, { port, tls });
    const notes = [...peer.deviations(front), ...(await workOf(choice, { port, tls }))];
    const presented = secure ? certificate.cert : "";
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

  /** The backend of gRPC; starts it at the first call. */
  async grpcBackend(): Promise<Served> {
    this.#grpcBackend ??= await this.#startGrpcBackend();
    return this.#grpcBackend;
  }

  #backendOf(front: PeerSetup["front"]): Promise<Served> {
    const { upstream } = frontTraits[front];
    if (upstream === "http2") return this.grpcBackend();
    return upstream === "datagrams" ? this.echo() : this.backend();
  }

  async #startGrpcBackend(): Promise<Served> {
    const directory = this.newFolder("grpc-backend");
    const port = await this.#ports.take();
    const launch = launchTool("grpc-backend", [String(port)]);
    const running = await this.processes.start({ name: "grpc", launch, directory, processors: this.layout.backend });
    await pollUntilReady(running, () => assertEcho(port));
    return { running, port, pids: processTree(running.pid) };
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

interface Place {
  readonly port: number;
  readonly tls: SecureContext | undefined;
}

/** Asks in what the front speaks until the answer is right. */
function waitUntilServed(running: Running, { front, routes }: TargetChoice, place: Place): Promise<void> {
  const { client, upstream } = frontTraits[front];
  if (client === "datagrams") return pollUntilReady(running, () => askEcho(place.port));
  if (upstream === "http2") return pollUntilReady(running, () => assertEcho(place.port));
  if (client !== "http2") return waitUntilReady(running, { ...place, ...readyQuestion(routes) });
  return pollUntilReady(running, async () => {
    const { status, body } = await askHttp2({ ...place, path: backendPaths.ready });
    if (status !== 200 || body !== "ready\n") throw new Error(`status ${status} with ${JSON.stringify(body)}`);
  });
}

async function assertEcho(port: number): Promise<void> {
  const sent = "is anybody there?";
  const received = await callGrpc(port, "Echo", sent);
  if (received !== sent) throw new Error(`${JSON.stringify(received)} came back instead of ${JSON.stringify(sent)}`);
}

// Every peer is to add X-Forwarded-For and a request id: the backend tells whether it did.
async function workOf({ front, routes, name }: TargetChoice, place: Place): Promise<readonly string[]> {
  const { client, upstream } = frontTraits[front];
  if (routes === "many" || (client !== "http1" && client !== "http2")) return [];
  const question = { ...place, path: backendPaths.seen };
  const body = upstream === "http2" ? await callGrpc(place.port, "Seen") : (await askOver(client, question)).body;
  const [forwardedFor = "", requestId = ""] = body.split("\n");
  const missing = [];
  if (forwardedFor.trim() === "") missing.push("X-Forwarded-For");
  if (requestId.trim() === "") missing.push("X-Request-Id");
  return missing.length === 0 ? [] : [`${name} does less work: it adds no ${missing.join(" and no ")}.`];
}

function askOver(client: "http1" | "http2", question: Question): Promise<{ readonly body: string }> {
  return client === "http2" ? askHttp2(question) : ask(question);
}
