// Any other proxy, given on the command line: two builds of Sallyport against each other, or a peer not listed here.
import type { Launch } from "../processes.ts";
import type { Peer, PeerSetup } from "./peer.ts";

/** Reads `NAME=COMMAND ARG...`, where {port} and {backend} stand for the ports; undefined when it has another form. */
export function parseCustomPeer(text: string): Peer | undefined {
  const cut = text.indexOf("=");
  const name = text.slice(0, Math.max(cut, 0)).trim();
  const words = text
    .slice(cut + 1)
    .trim()
    .split(/\s+/);
  const [command, ...args] = words;
  if (name === "" || command === undefined || !text.includes("{port}")) return undefined;
  return {
    name,
    deviations: [`${name} was given on the command line: ${words.join(" ")}`],
    fronts: ["http"],
    abilities: [],
    availability: () => ({ kind: "available", version: "given on the command line" }),
    launch: (setup) => customLaunch(command, args, setup),
  };
}

function customLaunch(command: string, args: readonly string[], setup: PeerSetup): Launch {
  const filled = args.map((word) => {
    return word.replaceAll("{port}", String(setup.port)).replaceAll("{backend}", String(setup.backendPort));
  });
  return { command, args: filled };
}
