// Proxies on Node.js libraries: what Sallyport would cost if it were built on them.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import { repository, toolPackages } from "../tools.ts";
import { upstreamConnections, type Availability, type Peer, type PeerSetup } from "./peer.ts";

const uwebsockets = join(toolPackages, "@btc-vision/uwebsockets.js");

/** node:http in front, http-proxy-3 behind it. */
export const httpProxyPeer: Peer = {
  name: "http-proxy-3",
  deviations: () => [],
  fronts: ["http"],
  abilities: [],
  availability: () => packageVersion(join(repository, "node_modules/http-proxy-3")),
  launch: (setup) => baseline("http-proxy.ts", setup),
};

/** node:http in front, an undici pool behind it. */
export const undiciPeer: Peer = {
  name: "node:http+undici",
  deviations: () => [],
  fronts: ["http"],
  abilities: [],
  availability: () => packageVersion(join(repository, "node_modules/undici")),
  launch: (setup) => baseline("undici.ts", setup),
};

/** uWebSockets.js in front, node:net behind it; its binaries load on some C libraries only. */
export const uwebsocketsPeer: Peer = {
  name: "uWebSockets.js",
  deviations: () => ["uWebSockets.js: the baseline gathers each body whole before it passes it on."],
  fronts: ["http"],
  abilities: [],
  availability: uwebsocketsAvailability,
  launch: (setup) => baseline("uwebsockets.ts", setup, { UWEBSOCKETS: uwebsockets }),
};

function baseline(file: string, setup: PeerSetup, env: Readonly<Record<string, string>> = {}): Launch {
  const options = { port: setup.port, backendPort: setup.backendPort, connections: upstreamConnections };
  const program = join(repository, "loadtest/src/baselines", file);
  return { command: process.execPath, args: [program, JSON.stringify(options)], env };
}

function packageVersion(folder: string): Availability {
  const version = /"version":\s*"([^"]+)"/.exec(readFileOrEmpty(join(folder, "package.json")))?.[1];
  if (version === undefined) return { kind: "missing", reason: "the package is not installed: run npm install" };
  return { kind: "available", version };
}

function uwebsocketsAvailability(): Availability {
  const installed = packageVersion(uwebsockets);
  if (installed.kind === "missing") {
    return { kind: "missing", reason: "the package is not installed: run node loadtest/install.mjs" };
  }
  const script = `require(${JSON.stringify(uwebsockets)})`;
  const result = spawnSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 20_000 });
  if (result.status === 0) return installed;
  const cause = /version `[^']+' not found/.exec(result.stderr)?.[0] ?? "no binary for this system";
  return { kind: "missing", reason: `${installed.version} does not load: ${cause}` };
}

function readFileOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
