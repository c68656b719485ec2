// Starts the processes of a measurement and makes sure that they end with it: stopped in order, on an interrupt, and even
// when this process is killed. Nothing but the processes started here is ever signalled.
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** How to start a program. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A program to start, with where it may run and where its output goes. */
export interface ProcessSetup {
  readonly name: string;
  readonly launch: Launch;
  /** Folder for NAME.stdout and NAME.stderr. */
  readonly directory: string;
  /** Processor list; absent means any. */
  readonly processors?: string | undefined;
}

/** A process that was started here. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly stdoutFile: string;
  /** The exit code, or the signal's name; pending while it runs. */
  readonly ended: Promise<number | string>;
  hasEnded(): boolean;
  /** All it has written so far. */
  output(): string;
  /** The end of what it wrote, to tell why it failed. */
  lastWords(): string;
  /** SIGTERM, then SIGKILL after three seconds. */
  stop(): Promise<void>;
}

/** All processes of one run. */
export class Processes {
  readonly #running = new Set<Running>();

  /** Starts the program; rejects when it cannot be executed. */
  async start(setup: ProcessSetup): Promise<Running> {
    const { name, directory } = setup;
    const stdoutFile = join(directory, `${name}.stdout`);
    const stderrFile = join(directory, `${name}.stderr`);
    const child = spawnInto(setup, stdoutFile, stderrFile);
    const ended = new Promise<number | string>((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? signal ?? "unknown"));
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const running = new RunningChild({ name, child, ended, stdoutFile, stderrFile });
    this.#running.add(running);
    void ended.then(() => this.#running.delete(running));
    return running;
  }

  /** Stops whatever still runs, newest first: a proxy before its backend. */
  async stopAll(): Promise<void> {
    for (const running of [...this.#running].reverse()) await running.stop();
  }
}

interface ChildParts {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  readonly stdoutFile: string;
  readonly stderrFile: string;
}

class RunningChild implements Running {
  readonly name: string;
  readonly pid: number;
  readonly stdoutFile: string;
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #stderrFile: string;

  constructor(parts: ChildParts) {
    this.name = parts.name;
    this.pid = parts.child.pid ?? 0;
    this.stdoutFile = parts.stdoutFile;
    this.ended = parts.ended;
    this.#child = parts.child;
    this.#stderrFile = parts.stderrFile;
  }

  hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  output(): string {
    return `${readFileSync(this.stdoutFile, "utf8")}\n${readFileSync(this.#stderrFile, "utf8")}`.trim();
  }

  lastWords(): string {
    const lines = this.output().split("\n");
    // A stack trace ends in places, not in reasons.
    const reason = lines.find((line) => /error/i.test(line));
    const last = lines.slice(-4);
    return [...(reason === undefined || last.includes(reason) ? [] : [reason]), ...last].join("\n");
  }

  async stop(): Promise<void> {
    if (this.hasEnded()) return;
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), 3000);
    await this.ended;
    clearTimeout(force);
  }
}

// A compile cache would spare the Node.js proxies memory that they need where nobody has set one up.
const { NODE_COMPILE_CACHE: _, ...inherited } = process.env;

// setpriv and taskset replace themselves by the program, so the child's id is the program's own. The parent-death signal
// covers the one case no handler here can: this process being killed outright.
function spawnInto(setup: ProcessSetup, stdoutFile: string, stderrFile: string): ChildProcess {
  const { launch, processors } = setup;
  const pin = processors === undefined ? [] : ["taskset", "-c", processors];
  const out = openSync(stdoutFile, "a");
  const err = openSync(stderrFile, "a");
  try {
    return spawn("setpriv", ["--pdeathsig", "TERM", ...pin, launch.command, ...launch.args], {
      env: { ...inherited, ...launch.env },
      stdio: ["ignore", out, err],
    });
  } finally {
    closeSync(out);
    closeSync(err);
  }
}
