#!/usr/bin/env node
// The `sallyport` command of a checkout, on whatever Node is first in PATH: hands over to the pinned Node, which runs
// TypeScript as it is.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const main = new URL("../src/main.ts", import.meta.url);
const [major = 0] = process.versions.node.split(".").map(Number);

if (major >= 24) await import(main.href);
else {
  const node = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGUSR1"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`sallyport: cannot run the pinned Node (${error.message}); run npm run setup\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
