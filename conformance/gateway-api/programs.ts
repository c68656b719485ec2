// Programs that the suite consists of, built once from the Go module suite/: its test binary, and the echo server of its pods.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildGo } from "../go-program.ts";

const run = promisify(execFile);
const MODULE = join(import.meta.dirname, "suite");
const FLAGS = ["-gcflags=all=-dwarf=false"];

/** The official suite as one test binary. */
export async function buildSuite(say: (line: string) => void): Promise<string> {
  return buildGo(
    { name: "gateway-api-suite", directory: MODULE, kind: "test", flags: FLAGS, usually: "4 minutes" },
    say,
  );
}

/** The echo server, whose modes the environment chooses. */
export async function buildEcho(say: (line: string) => void): Promise<string> {
  const echo = "sigs.k8s.io/gateway-api/conformance/echo-basic";
  return buildGo({ name: "echo-basic", directory: MODULE, package: echo, flags: FLAGS, usually: "1 minute" }, say);
}

/** Files of the Gateway API's CRDs, experimental channel, of the version that the suite demands. */
export async function findCrds(): Promise<readonly string[]> {
  const args = ["mod", "download", "-json", "sigs.k8s.io/gateway-api"];
  const path = `${process.env["PATH"] ?? ""}:/usr/local/go/bin`;
  const { stdout } = await run("go", args, { cwd: MODULE, env: { ...process.env, PATH: path } });
  const directory = /"Dir": (".*")/.exec(stdout)?.[1];
  if (directory === undefined) throw new Error(`the Gateway API's module was not downloaded: ${stdout}`);
  const folder = join(String(JSON.parse(directory)), "config/crd/experimental");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name.startsWith("gateway.networking."));
  return files.map((name) => join(folder, name));
}
