/**
 * Makes the certificates of this example below a directory: certificates.yaml for the gateway, and PEM files for backends and
 * clients. Usage: node certificates.ts DIRECTORY
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

/** Each has an authority of its own, so that one sees which one is meant. */
const CERTIFICATES = {
  edge: ["shop.localhost", "lines.localhost", "ingress.localhost"],
  client: ["client.localhost"],
  backend: ["shop.internal", "pass.localhost"],
} as const;

const directory = process.argv[2] ?? import.meta.dirname;
mkdirSync(directory, { recursive: true });
const secrets = Object.entries(CERTIFICATES).map(([name, hosts]) => {
  const options = ["--authority", "--name", `${name}-certificate`, "--files", join(directory, "certificates", name)];
  return execFileSync(process.execPath, [CLI, "dev-certificate", ...options, ...hosts], { encoding: "utf8" });
});
writeFileSync(join(directory, "certificates.yaml"), secrets.join("---\n"), { mode: 0o600 });
