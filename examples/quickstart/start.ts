/**
 * What `npm start` runs: makes a certificate for localhost, starts the demo backends and the gateway as processes of their
 * own, and prints curl lines once the gateway is ready. Ends with the first of them, or with Ctrl-C.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");
const cli = join(root, "cli/src/main.ts");
/** Git-ignored: the gateway reads it with the rest of the example. */
const certificate = join(here, "certificate.yaml");
const READY_URL = "http://127.0.0.1:15020/ready";
const READY_POLL_MS = 50;

const children: ChildProcess[] = [];
let ending = false;

/** Starts a process of the quickstart; when one ends, all end. */
function run(name: string, args: readonly string[]): void {
  const child = spawn(process.execPath, args, { stdio: "inherit", cwd: root });
  children.push(child);
  child.on("exit", (code, signal) => {
    if (!ending) console.error(`quickstart: ${name} ended (${signal ?? `exit code ${code}`})`);
    endAll(code ?? 1);
  });
}

function endAll(code: number): void {
  if (ending) return;
  ending = true;
  process.exitCode = code;
  for (const child of children) child.kill("SIGTERM");
}

/** A Secret with a fresh certificate for localhost. */
function makeCertificate(): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(
      process.execPath,
      [cli, "dev-certificate", "--name", "quickstart-certificate", "localhost", "127.0.0.1"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let yaml = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (yaml += text));
    child.on("exit", (code) => {
      if (code !== 0) return failed(new Error(`dev-certificate ended with exit code ${code}`));
      writeFileSync(certificate, yaml, { mode: 0o600 });
      done();
    });
  });
}

async function whenReady(): Promise<void> {
  while (!ending) {
    const ready = await fetch(READY_URL)
      .then((answer) => answer.ok)
      .catch(() => false);
    if (ready) return;
    await setTimeout(READY_POLL_MS);
  }
}

const HELP = `
Sallyport is ready. Try:

  curl http://localhost:8080/echo                                   # 90 % v1, 10 % v2
  curl http://localhost:8080/echo -H 'x-version: v2'                # pinned to v2 by a header match
  curl -i http://localhost:8080/old-echo/some/path                  # 301 to /echo/some/path
  curl -k https://localhost:8443/echo                               # the same over TLS
  curl http://127.0.0.1:15000/config_dump                           # what is being served
  curl http://127.0.0.1:15020/metrics                               # Prometheus metrics

Landing page: http://localhost:8080/   Configuration: examples/quickstart (edit it, it is live)   Stop: Ctrl-C
`;

process.on("SIGINT", () => endAll(0));
process.on("SIGTERM", () => endAll(0));
await makeCertificate();
run("demo backends", [join(here, "backends.ts")]);
run("gateway", [cli, "run", here, "--min-drain", "0"]);
await whenReady();
if (!ending) console.log(HELP);
