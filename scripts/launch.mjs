// Runs a TypeScript program of this repository on any machine with Node 20 and npm: makes everything ready, then hands
// over to the pinned Node. Usage: node scripts/launch.mjs FILE [ARGUMENT...]
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { root, setUp } from "./setup.mjs";

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(`sallyport: needs Node 20 or newer to start from; this is ${process.version}.`);
  process.exit(1);
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/launch.mjs FILE [ARGUMENT...]");
  process.exit(2);
}

const child = spawn(await setUp(), [join(root, file), ...args], {
  stdio: "inherit",
  env: {
    ...process.env,
    PATH: [join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, ".cache", "compile"),
  },
});

// A terminal sends Ctrl-C to the whole process group, so the child has it already; anybody else signals only us.
process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
process.on("SIGTERM", () => child.kill("SIGTERM"));
process.on("SIGHUP", () => child.kill("SIGHUP"));

// npm passes SIGTERM on to the shell between it and us, which dies of it without a word to us.
const parent = process.ppid;
if (process.env.npm_lifecycle_event !== undefined) {
  setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 500).unref();
}

child.on("error", (error) => {
  console.error(`sallyport: cannot run the pinned Node: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
