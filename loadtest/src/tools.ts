// Finds the programs that the load test runs: first where loadtest/install.mjs puts them, then on the PATH.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the repository: every path of the harness hangs on it. */
export const repository: string = fileURLToPath(new URL("../..", import.meta.url));

const cache = join(repository, ".cache", "loadtest");
const debian = join(cache, "debian");

/** Programs that may or may not be on this machine. */
export type ToolName = "nginx" | "haproxy" | "wrk" | "h2load" | "envoy" | "traefik" | "k6" | "grpc-backend";

/** A program and the environment it needs, or why it cannot be run. */
export type Tool =
  | {
      readonly kind: "found";
      readonly path: string;
      readonly env: Readonly<Record<string, string>>;
      readonly version: string;
    }
  | { readonly kind: "missing"; readonly reason: string };

const places: Readonly<Record<ToolName, { readonly files: readonly string[]; readonly version: readonly string[] }>> = {
  nginx: { files: [join(debian, "usr/sbin/nginx")], version: ["-v"] },
  haproxy: { files: [join(debian, "usr/sbin/haproxy")], version: ["-v"] },
  wrk: { files: [join(debian, "usr/bin/wrk")], version: ["-v"] },
  h2load: { files: [join(debian, "usr/bin/h2load")], version: ["--version"] },
  envoy: { files: envoyFiles(), version: ["--version"] },
  traefik: { files: [join(cache, "venv/bin/traefik")], version: ["version"] },
  k6: { files: [join(repository, ".cache/bin/k6")], version: ["version"] },
  "grpc-backend": { files: [join(repository, ".cache/bin/grpc-backend")], version: ["--version"] },
};

/** Folder of the npm packages that are installed for the load test only. */
export const toolPackages: string = join(cache, "npm", "node_modules");

const found = new Map<ToolName, Tool>();

/** Looks the program up and asks its version, once; a program that does not start is missing, with the reason. */
export function findTool(name: ToolName): Tool {
  const tool = found.get(name) ?? lookUp(name);
  found.set(name, tool);
  return tool;
}

/** The file of nginx's stream module, which is a package of its own; throws when it is not installed. */
export function nginxStreamModule(): string {
  const nginx = findTool("nginx");
  const root = nginx.kind === "found" && nginx.path.startsWith(debian) ? debian : "/";
  const file = join(root, "usr/lib/nginx/modules/ngx_stream_module.so");
  if (!existsSync(file)) throw new Error(`${file} is not installed: run node loadtest/install.mjs`);
  return file;
}

function lookUp(name: ToolName): Tool {
  const { files, version } = places[name];
  const path = [...files, ...onPath(name)].find((file) => existsSync(file));
  if (path === undefined) return { kind: "missing", reason: `${name} is not installed: run node loadtest/install.mjs` };
  const env = path.startsWith(debian) ? { LD_LIBRARY_PATH: libraryPath() } : {};
  const result = spawnSync(path, version, { env: { ...process.env, ...env }, encoding: "utf8", timeout: 20_000 });
  const text = `${result.stdout}${result.stderr}`;
  const number = /\d+\.\d+\.\d+/.exec(text)?.[0];
  if (number === undefined) return { kind: "missing", reason: `${path} does not start: ${firstLine(text)}` };
  return { kind: "found", path, env, version: number };
}

// The wheel's own script only executes this file; without it there is no interpreter in between.
function envoyFiles(): readonly string[] {
  const lib = join(cache, "venv", "lib");
  if (!existsSync(lib)) return [];
  return readdirSync(lib).map((python) => join(lib, python, "site-packages/envoy/_bin/envoy"));
}

function libraryPath(): string {
  const lib = join(debian, "usr/lib");
  const folders = readdirSync(lib).filter((entry) => entry.endsWith("-linux-gnu"));
  return folders.map((folder) => join(lib, folder)).join(delimiter);
}

function onPath(name: string): readonly string[] {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"].map((folder) => join(folder, name));
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
