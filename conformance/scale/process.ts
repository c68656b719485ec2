// A controller as a process of its own, and what the kernel and its metrics know of it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const repository = dirname(dirname(import.meta.dirname));
/** The command: as it is shipped, or as it is in the work tree. */
const PROGRAMS = { bundle: join(repository, "dist/sallyport.mjs"), source: join(repository, "cli/src/main.ts") };

/** How it is started. */
export interface ControllerStart {
  readonly program: string;
  readonly kubeconfig: string;
  readonly port: number;
  readonly metricsPort: number;
  /** A directory for a CPU profile; empty: none. */
  readonly profile: string;
  readonly options: readonly string[];
}

/** Figures up to now; subtract two of them. */
export interface Reading {
  readonly cpuMs: number;
  readonly requests: number;
  readonly translations: number;
}

/** One controller. */
export class ControllerProcess {
  readonly #child: ChildProcess;
  readonly #metricsPort: number;
  /** Milliseconds from its start until it said that proxies can have their configuration. */
  readonly ready: Promise<number>;
  readonly #began = performance.now();
  #said = "";

  constructor({ program, kubeconfig, port, metricsPort, profile, options }: ControllerStart) {
    this.#metricsPort = metricsPort;
    const file = program === "bundle" || program === "source" ? PROGRAMS[program] : program;
    const profiling = profile === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
    const places = ["--listen", `127.0.0.1:${port}`, "--metrics", `127.0.0.1:${metricsPort}`];
    const command = ["controller", "--kubeconfig", kubeconfig, "--namespace", "sallyport-system", "--no-leader-elect"];
    this.#child = spawn(
      process.execPath,
      [...profiling, file, ...command, ...places, "--proxy-image", "none", ...options],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.ready = promise;
    promise.catch(() => undefined);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (process.env["SCALE_DEBUG"] !== undefined) process.stderr.write(text);
      this.#said = (this.#said + text).slice(-5000);
      if (this.#said.includes("proxies can have their configuration")) resolve(performance.now() - this.#began);
    });
    this.#child.on("exit", (code) => reject(new Error(`the controller ended (${code}): ${this.#said}`)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Milliseconds since it was started. */
  get age(): number {
    return performance.now() - this.#began;
  }

  /** CPU time of all its threads, requests to the API server, translations. */
  async read(): Promise<Reading> {
    const text = await (await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`)).text();
    return {
      cpuMs: readCpuMs(this.pid),
      requests: sumOf(text, "sallyport_controller_api_requests_total"),
      translations: sumOf(text, "sallyport_controller_translation_seconds_count"),
    };
  }

  /** Resident memory in MB: now, and at most. */
  memory(): { readonly now: number; readonly peak: number } {
    const text = readFileSync(`/proc/${this.pid}/status`, "utf8");
    const read = (name: string): number =>
      (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024) / 1e6;
    return { now: read("VmRSS"), peak: read("VmHWM") };
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    await exit;
  }
}

function readCpuMs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ", 1)[0]);
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return sum / 1e6;
}

function sumOf(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
