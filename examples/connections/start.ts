/**
 * Runs this example: makes certificates, starts the demo backends and the gateway as processes of their own, and prints what to
 * try once the gateway is ready. Ends with the first of them, or with Ctrl-C.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");
const cli = join(root, "cli/src/main.ts");
const READY_URL = "http://127.0.0.1:15020/ready";
const READY_POLL_MS = 50;

const children: ChildProcess[] = [];
let ending = false;

/** Starts a process of the example; when one ends, all end. */
function run(name: string, args: readonly string[]): void {
  const child = spawn(process.execPath, args, { stdio: "inherit", cwd: root });
  children.push(child);
  child.on("exit", (code, signal) => {
    if (!ending) console.error(`connections: ${name} ended (${signal ?? `exit code ${code}`})`);
    endAll(code ?? 1);
  });
}

function endAll(code: number): void {
  if (ending) return;
  ending = true;
  process.exitCode = code;
  for (const child of children) child.kill("SIGTERM");
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
Sallyport is ready. Try, in examples/connections/certificates:

  CLIENT='--cert client/tls.crt --key client/tls.key'
  curl --cacert edge/ca.crt https://shop.localhost:8443/            # refused: clients need a certificate
  curl --cacert edge/ca.crt $CLIENT https://shop.localhost:8443/    # x-forwarded-client-cert tells the backend whose
  curl --cacert backend/ca.crt https://pass.localhost:8443/         # passed through: the backend's own certificate
  openssl s_client -quiet -connect localhost:8443 -servername lines.localhost \\
      -CAfile edge/ca.crt -cert client/tls.crt -key client/tls.key  # what you type comes back
  nc localhost 8007                                                 # the same over TCP
  nc -u localhost 8007                                              # and over UDP
  curl http://ingress.localhost:8080/                               # an Ingress
  curl --cacert edge/ca.crt https://ingress.localhost:8444/         # the same over TLS
  curl http://127.0.0.1:15000/listeners                             # what is bound

Configuration: examples/connections (edit it, it is live)   Stop: Ctrl-C
`;

process.on("SIGINT", () => endAll(0));
process.on("SIGTERM", () => endAll(0));
execFileSync(process.execPath, [join(here, "certificates.ts"), here], { stdio: "inherit" });
run("demo backends", [join(here, "backends.ts"), join(here, "certificates/backend")]);
run("gateway", [cli, "run", here, "--port-map", "80=8080", "--port-map", "443=8444", "--min-drain", "0"]);
await whenReady();
if (!ending) console.log(HELP);
