// Sallyport itself, started by its command line on a directory of YAML, from source or as the shipped bundle.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import { writeObjects } from "../sallyport-objects.ts";
import { repository } from "../tools.ts";
import { everyFront, type Availability, type Peer, type PeerSetup } from "./peer.ts";

/** From the sources by type stripping, or the bundle of dist/. */
export type SallyportForm = "source" | "bundle";

const programs: Readonly<Record<SallyportForm, string>> = {
  source: join(repository, "cli/src/main.ts"),
  bundle: join(repository, "dist/sallyport.mjs"),
};

/** Packages that the bundle is made of. */
const sourceFolders = ["cli", "controller", "gateway", "model", "policies"] as const;

/** The bundle when it has been built, since that is what runs in production; else the sources. */
export function defaultForm(): SallyportForm {
  return existsSync(programs.bundle) ? "bundle" : "source";
}

/** Sallyport as a peer, in one isolate with everything else at its defaults. */
export function sallyportPeer(form: SallyportForm): Peer {
  return {
    name: "sallyport",
    deviations: () => deviationsOf(form),
    fronts: everyFront,
    abilities: ["access log", "many routes", "traffic policies"],
    availability: () => sallyportAvailability(form),
    launch: (setup) => sallyportLaunch(programs[form], setup),
  };
}

/** The program of a form, for callers that have objects of their own to serve. */
export function sallyportProgram(form: SallyportForm): string {
  return programs[form];
}

/** What `sallyport run` is told besides its directory. */
export interface SallyportSetup {
  readonly admin: number;
  readonly metrics: number;
  /** A file, or "off" as the peers have it by default. */
  readonly accessLog: string;
}

/** The command that serves a directory of objects on loopback, and ends at once when it is stopped. */
export function sallyportCommand(program: string, directory: string, setup: SallyportSetup): Launch {
  const addresses = [
    "--bind",
    "127.0.0.1",
    "--admin",
    `127.0.0.1:${setup.admin}`,
    "--metrics",
    `127.0.0.1:${setup.metrics}`,
  ];
  const rest = ["--access-log", setup.accessLog, "--min-drain", "0", "--max-drain", "1", "--log-level", "warn"];
  return { command: process.execPath, args: [program, "run", directory, "--workers", "1", ...addresses, ...rest] };
}

function deviationsOf(form: SallyportForm): readonly string[] {
  if (form === "source") return ["Sallyport runs from its sources: its memory includes what strips their types."];
  if (!existsSync(programs.bundle)) return [];
  const built = statSync(programs.bundle).mtimeMs;
  const stale = sourceFolders.some((folder) => newestChange(join(repository, folder, "src")) > built);
  return stale ? ["Sallyport's bundle is older than its sources: npm run build makes a new one."] : [];
}

function newestChange(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return Math.max(0, ...files.map((name) => statSync(join(folder, name)).mtimeMs));
}

function sallyportAvailability(form: SallyportForm): Availability {
  const program = programs[form];
  if (!existsSync(program)) return { kind: "missing", reason: `${program} is not there` };
  return { kind: "available", version: form };
}

function sallyportLaunch(program: string, setup: PeerSetup): Launch {
  const directory = join(setup.directory, "objects");
  const { front, port, backendPort, routes, policies, certificate } = setup;
  writeObjects(directory, { front, port, backendPort, routes, policies, certificate });
  const [admin, metrics] = setup.sparePorts;
  const accessLog = setup.accessLog === "on" ? join(setup.directory, "access.log") : "off";
  return sallyportCommand(program, directory, { admin, metrics, accessLog });
}
