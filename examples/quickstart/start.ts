/**
 * What `npm start` runs: makes a certificate for localhost, starts the demo backends and the gateway as processes of their
 * own, and prints curl lines once the gateway is ready. Ends with the first of them, or with Ctrl-C.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli, openDemo } from "../demo.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
/** Git-ignored: the gateway reads it with the rest of the example. */
const certificate = join(here, "certificate.yaml");

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

const demo = openDemo("quickstart");
await makeCertificate();
demo.run("demo backends", [join(here, "backends.ts")]);
demo.run("gateway", [cli, "run", here, "--min-drain", "0"]);
await demo.announce(HELP);
