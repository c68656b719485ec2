/** What the examples' start.ts share: processes that live and end together, and the wait until the gateway is ready. */
import { spawn, type ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL(".", import.meta.url)), "..");
const READY_URL = "http://127.0.0.1:15020/ready";
const READY_POLL_MS = 50;

/** The command, as `sallyport` would be installed. */
export const cli = join(root, "cli/src/main.ts");

/** A running example. */
export interface Demo {
  /** Starts a process of the example; when one ends, all end. */
  run(name: string, args: readonly string[]): void;
  /** Prints the text once the gateway is ready, unless the example ends before. */
  announce(text: string): Promise<void>;
}

/** Opens one by its name; it ends with the first of its processes, or with Ctrl-C. */
export function openDemo(example: string): Demo {
  const children: ChildProcess[] = [];
  let ending = false;
  const endAll = (code: number): void => {
    if (ending) return;
    ending = true;
    process.exitCode = code;
    for (const child of children) child.kill("SIGTERM");
  };
  process.on("SIGINT", () => endAll(0));
  process.on("SIGTERM", () => endAll(0));
  return {
    run(name, args) {
      const child = spawn(process.execPath, args, { stdio: "inherit", cwd: root });
      children.push(child);
      child.on("exit", (code, signal) => {
        if (!ending) console.error(`${example}: ${name} ended (${signal ?? `exit code ${code}`})`);
        endAll(code ?? 1);
      });
    },
    async announce(text) {
      while (!ending && !(await isReady())) await setTimeout(READY_POLL_MS);
      if (!ending) console.log(text);
    },
  };
}

function isReady(): Promise<boolean> {
  return fetch(READY_URL).then(
    (answer) => answer.ok,
    () => false,
  );
}
