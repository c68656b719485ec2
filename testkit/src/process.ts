// Runs the `sallyport` command as a child process on free loopback ports and waits until it says that it is ready.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { get } from "node:http";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { Signal } from "./signal.ts";

/** A child process and everything it printed. */
export interface RunningProcess {
  readonly pid: number;
  /** Standard output and standard error, as they came. */
  output(): string;
  readonly signal: Signal;
  /** Undefined while it runs; then its exit code, or the name of the signal that ended it. */
  exit(): number | string | undefined;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end (SIGTERM), and after `milliseconds` makes it end. */
  stop(milliseconds?: number): Promise<void>;
}

/** How to run the command; everything has a default. */
export interface SallyportOptions {
  /** The directory of YAML objects. */
  readonly directory: string;
  readonly workers?: number;
  /** More options; they win over those given by default (loopback, no access log, a drain that does not wait). */
  readonly extra?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Shell text that the command is put behind, such as `ulimit -n 64; exec`. */
  readonly shellPrefix?: string;
  /** How long it may take to be ready. Default 150 000 ms: what hangs, not what is slow. */
  readonly patience?: number;
}

/** A running gateway. */
export interface Sallyport {
  readonly process: RunningProcess;
  readonly adminPort: number;
  readonly metricsPort: number;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

const running = new Set<ChildProcess>();

/** Whoever ends while a child runs takes it along: an orphan would hold ports and processor time of the next run. */
function takeAlong(child: ChildProcess): void {
  if (running.size === 0) process.once("exit", killRunning);
  running.add(child);
  child.once("close", () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", killRunning);
  });
}

function killRunning(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Starts a command and collects its output. It does not outlive this process, unless that is killed outright. */
export function startProcess(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RunningProcess {
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  takeAlong(child);
  const signal = new Signal();
  let output = "";
  let exit: number | string | undefined;
  const collect = (bytes: Buffer): void => {
    output += bytes.toString("utf8");
    signal.changed();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.on("error", (error) => {
    output += `${String(error)}\n`;
    exit = -1;
    signal.changed();
  });
  child.on("close", (code, by) => {
    exit = code ?? by ?? -1;
    signal.changed();
  });
  return {
    pid: child.pid ?? -1,
    output: () => output,
    signal,
    exit: () => exit,
    kill: (name) => void child.kill(name),
    stop: (milliseconds = 20_000) => stop(child, signal, () => exit !== undefined, milliseconds),
  };
}

/** Starts `sallyport run` and resolves once `/ready` answers 200; throws with its output if that does not come. */
export async function startSallyport(options: SallyportOptions): Promise<Sallyport> {
  const [adminPort = 0, metricsPort = 0] = await freePorts(2);
  const args = [
    MAIN,
    "run",
    options.directory,
    "--workers",
    String(options.workers ?? 1),
    "--admin",
    `127.0.0.1:${adminPort}`,
    "--metrics",
    `127.0.0.1:${metricsPort}`,
    ...["--bind", "127.0.0.1", "--access-log", "off", "--min-drain", "0", "--max-drain", "1"],
    ...(options.extra ?? []),
  ];
  const environment = options.environment ?? {};
  const quoted = [process.execPath, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child =
    options.shellPrefix === undefined
      ? startProcess(process.execPath, args, environment)
      : startProcess("/bin/sh", ["-c", `${options.shellPrefix} ${quoted}`], environment);
  const deadline = Date.now() + (options.patience ?? 150_000);
  while (!(await isReady(metricsPort))) {
    if (child.exit() !== undefined || Date.now() > deadline) {
      await child.stop();
      throw new Error(`sallyport was not ready (exit ${child.exit() ?? "none"}); it printed:\n${child.output()}`);
    }
    await child.signal.until(() => child.exit() !== undefined, 25);
  }
  return { process: child, adminPort, metricsPort, stop: () => child.stop() };
}

/** Status and body of a GET on loopback; status 0 if nobody answers. */
export function fetchLocal(port: number, path: string, method = "GET"): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path, method, agent: false, timeout: 20_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", () => resolve({ status: 0, body }));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve({ status: 0, body: "" }));
  });
}

/**
 * Ports nobody listens on now, below the range the kernel takes for outgoing connections, so that none of those can
 * take one before the process does.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = anyPort();
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

/** The first of so many ports in a row that are free in the same way. */
export async function freePortRun(count: number): Promise<number> {
  for (;;) {
    const first = anyPort();
    const run = Array.from({ length: count }, (_, i) => isFree(first + i));
    if ((await Promise.all(run)).every((free) => free)) return first;
  }
}

function anyPort(): number {
  return 20_000 + Math.floor(Math.random() * 12_000);
}

async function isReady(port: number): Promise<boolean> {
  return (await fetchLocal(port, "/ready")).status === 200;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function stop(child: ChildProcess, signal: Signal, ended: () => boolean, milliseconds: number): Promise<void> {
  if (ended()) return;
  child.kill("SIGTERM");
  if (await signal.until(ended, milliseconds)) return;
  child.kill("SIGKILL");
  await signal.until(ended, 5000);
}
