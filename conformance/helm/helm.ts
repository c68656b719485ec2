// The helm command, built once from the Go module beside this file.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CACHE = join(import.meta.dirname, "../../.cache/bin");
const FLAGS = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", "-s -w"];

/** The folder of the chart. */
export const CHART = join(import.meta.dirname, "../../charts/sallyport");

/** Its path. The name holds a hash of the module's pins, so that another version is built when they change. */
export async function buildHelm(): Promise<string> {
  const pins = createHash("sha256").update(readFileSync(join(import.meta.dirname, "go.sum")));
  const binary = join(CACHE, `helm-${pins.digest("hex").slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  const environment = {
    ...process.env,
    CGO_ENABLED: "0",
    GOTOOLCHAIN: "local",
    PATH: `${process.env["PATH"] ?? ""}:/usr/local/go/bin`,
  };
  const args = ["build", "-mod=readonly", ...FLAGS, "-o", binary, "helm.sh/helm/v4/cmd/helm"];
  try {
    await run("go", args, { cwd: import.meta.dirname, env: environment });
  } catch (error) {
    throw new Error("helm could not be built; it needs Go 1.26 and, once, the module proxy", { cause: error });
  }
  return binary;
}
