// Commands inside of a running cluster's network and in that of the client outside of it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { OUTSIDE } from "./network.ts";
import type { CapsuleRecord, ClusterPaths } from "./state.ts";

/** Whose network a command has: the first node's, where the API server is too, or the outside client's. */
export type Place = "inside" | "outside";

/** How a command ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run one. */
export interface CommandOptions {
  /** What it reads on its standard input; nothing by default. */
  readonly input?: string | Uint8Array;
  /** Besides this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * curl as the suites use it, up to its URL: it asks again for a minute, each time on a connection of its own, since kube-proxy and
 * load balancers hear of a Service after everybody who waits for its status or its pods.
 */
export const CURL = [
  ...["curl", "--silent", "--show-error", "--max-time", "5"],
  ...["--retry", "60", "--retry-delay", "1", "--retry-all-errors"],
] as const;

/** The command line that runs another in a place of a cluster: same files, same user, another network. */
export function enter({ pid }: CapsuleRecord, place: Place, argv: readonly string[]): readonly [string, ...string[]] {
  const namespace =
    place === "inside" ? `/proc/${pid}/ns/net` : join("/proc", `${pid}`, "root", "run", "netns", OUTSIDE);
  return ["nsenter", `--net=${namespace}`, "--", ...argv];
}

/** The command line of kubectl for a cluster, with all rights. */
export function kubectlCommand(
  record: CapsuleRecord,
  paths: ClusterPaths,
  args: readonly string[],
): readonly [string, ...string[]] {
  return enter(record, "inside", [record.kubernetes, "kubectl", `--kubeconfig=${paths.kubeconfig}`, ...args]);
}

/** Runs a command line to its end, whatever that is. */
export async function runToEnd(
  [program, ...args]: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    ...(options.signal && { signal: options.signal }),
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();
  child.on("error", reject);
  child.on("close", (code) => resolve(code ?? 1));
  child.stdin.on("error", () => {}); // a command need not read what it is given
  child.stdin.end(options.input ?? "");
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Runs a command line on this process's own terminal; resolves with its exit code. */
export async function runHere(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, pass);
  // A terminal sends it to the whole group: the command decides what it means.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("error", reject);
  child.on("exit", (code) => resolve(code ?? 1));
  return promise;
}
