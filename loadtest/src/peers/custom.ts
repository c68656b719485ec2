// Any other proxy, given on the command line: two builds of Sallyport against each other, or a peer not listed here.
import { join } from "node:path";
import { writeObjects } from "../sallyport-objects.ts";
import { everyFront, type Peer, type PeerSetup } from "./peer.ts";

/**
 * Reads `NAME=COMMAND ARG...`; undefined when it has another form. Stand-ins in the arguments: {port} and {backend}, {admin} and
 * {metrics} for two more free ports, {cert} and {key} for files, {objects} for a directory that Sallyport serves, which
 * names the port. A command takes part in plain HTTP, and with {objects} in everything.
 */
export function parseCustomPeer(text: string): Peer | undefined {
  const cut = text.indexOf("=");
  const name = text.slice(0, Math.max(cut, 0)).trim();
  const words = text
    .slice(cut + 1)
    .trim()
    .split(/\s+/);
  const [command, ...args] = words;
  const objects = text.includes("{objects}");
  if (name === "" || command === undefined || !(objects || text.includes("{port}"))) return undefined;
  return {
    name,
    deviations: () => [`${name} was given on the command line: ${words.join(" ")}`],
    fronts: objects ? everyFront : ["http"],
    abilities: [],
    availability: () => ({ kind: "available", version: "given on the command line" }),
    launch: (setup) => {
      if (objects) writeObjects(objectsOf(setup), setup);
      return { command, args: args.map((word) => filledIn(word, setup)) };
    },
  };
}

function objectsOf({ directory }: PeerSetup): string {
  return join(directory, "objects");
}

function filledIn(word: string, setup: PeerSetup): string {
  const values = {
    port: setup.port,
    backend: setup.backendPort,
    admin: setup.sparePorts[0],
    metrics: setup.sparePorts[1],
    cert: setup.certificate.cert,
    key: setup.certificate.key,
    objects: objectsOf(setup),
  };
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, String(value)), word);
}
