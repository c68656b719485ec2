/** Processes of a shop that is started to try something: they say when they are ready, and do not outlive who started them. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** One of them, with all it printed. */
export interface Started {
  output(): string;
  hasEnded(): boolean;
  /** Resolves with what it printed once that matches; rejects with it if the process ends before. */
  until(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a program with the Node that runs this. */
export function startNode(args: readonly string[]): Started {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const killAtExit = (): void => void child.kill("SIGKILL");
  process.once("exit", killAtExit);
  child.once("close", () => process.off("exit", killAtExit));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("printed");
    });
  return {
    output: () => output,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    until: (pattern) => untilPrinted(child, pattern, () => output),
    stop: () => stop(child),
  };
}

function untilPrinted(child: ChildProcess, pattern: RegExp, read: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (pattern.test(read())) resolve(read());
    };
    child.on("printed", look);
    child.once("close", () => reject(new Error(`a process ended before it was ready; it printed:\n${read()}`)));
    look();
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  child.kill("SIGTERM");
  const impatience = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(impatience);
}

/** Ports nobody listens on, below those that systems give to outgoing connections. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
