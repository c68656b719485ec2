// Sallyport itself, started by its command line on a directory of YAML, from source or as the shipped bundle.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../processes.ts";
import { writeObjects } from "../sallyport-objects.ts";
import { repository } from "../tools.ts";
import type { Availability, Peer, PeerSetup } from "./peer.ts";

/** From the sources by type stripping, or the bundle of dist/. */
export type SallyportForm = "source" | "bundle";

const programs: Readonly<Record<SallyportForm, string>> = {
  source: join(repository, "cli/src/main.ts"),
  bundle: join(repository, "dist/sallyport.mjs"),
};

/** The bundle when it has been built, since that is what runs in production; else the sources. */
export function defaultForm(): SallyportForm {
  return existsSync(programs.bundle) ? "bundle" : "source";
}

/** Sallyport as a peer, in one isolate with everything else at its defaults. */
export function sallyportPeer(form: SallyportForm): Peer {
  return {
    name: "sallyport",
    deviations:
      form === "source" ? ["Sallyport runs from its sources: its memory is that of the compiler as well."] : [],
    abilities: ["access log", "many routes"],
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

function sallyportAvailability(form: SallyportForm): Availability {
  const program = programs[form];
  if (!existsSync(program)) return { kind: "missing", reason: `${program} is not there` };
  return { kind: "available", version: form };
}

function sallyportLaunch(program: string, setup: PeerSetup): Launch {
  const directory = join(setup.directory, "objects");
  writeObjects(directory, { port: setup.port, backendPort: setup.backendPort, routes: setup.routes });
  const [admin, metrics] = setup.sparePorts;
  const accessLog = setup.accessLog === "on" ? join(setup.directory, "access.log") : "off";
  return sallyportCommand(program, directory, { admin, metrics, accessLog });
}
