/** `npm run dev`: the quickstart, started anew whenever a source file changes. Ends with Ctrl-C. */
import { spawn, type ChildProcess } from "node:child_process";
import { watch } from "node:fs";
import { dirname, join } from "node:path";

const SOURCES = ["model/src", "policies/src", "gateway/src", "controller/src", "cli/src"];
const PROGRAM = "examples/quickstart/start.ts";
/** An editor that saves several files, or a branch that is switched, is one change. Milliseconds. */
const BURST = 150;

const root = dirname(import.meta.dirname);
let child = start();
let timer: NodeJS.Timeout | undefined;
let ending = false;

for (const source of SOURCES) {
  watch(join(root, source), { recursive: true }, (_event, file) => {
    if (file === null || !/\.(ts|js|json)$/.test(file) || file.endsWith(".test.ts")) return;
    clearTimeout(timer);
    timer = setTimeout(() => restart(join(source, file)), BURST);
  });
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    ending = true;
    clearTimeout(timer);
    child.once("exit", (code) => process.exit(code ?? 1));
    // A terminal has told the child already; it must not hear it twice, for the second time means "now".
    if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal);
  });
}

function start(): ChildProcess {
  const started = spawn(process.execPath, [join(root, PROGRAM)], { stdio: "inherit" });
  started.on("exit", (code) => {
    if (!ending && started === child) console.log(`\ndev: ended with exit code ${code}; waiting for a change`);
  });
  return started;
}

function restart(changed: string): void {
  console.log(`\ndev: ${changed} changed`);
  const old = child;
  const next = (): void => {
    if (!ending) child = start();
  };
  if (old.exitCode !== null || old.signalCode !== null) return next();
  old.removeAllListeners("exit");
  old.once("exit", next);
  old.kill("SIGTERM");
}
