// The command line of the load test.
import { parseArgs } from "node:util";
import { allPeers } from "./peers/all.ts";
import { parseCustomPeer } from "./peers/custom.ts";
import type { Peer } from "./peers/peer.ts";
import { defaultForm, type SallyportForm } from "./peers/sallyport.ts";
import { scenarios } from "./scenarios.ts";

/** How a run is made. */
export interface Options {
  readonly scenarios: readonly string[];
  /** Names of peers; empty for all. */
  readonly peers: readonly string[];
  readonly custom: readonly Peer[];
  readonly rounds: number;
  /** Length of one closed-loop sample. */
  readonly seconds: number;
  readonly latencyRounds: number;
  /** Length of one open-loop sample. */
  readonly latencySeconds: number;
  /** Arrivals a second, instead of the scenario's. */
  readonly rate: number | undefined;
  readonly form: SallyportForm;
  readonly pinning: "on" | "off";
  /** Whether a budget that is not met fails the run. */
  readonly check: "on" | "off";
  readonly quick: "on" | "off";
}

/** What `--help` prints. */
export const usage = `npm run loadtest -- [options]
  --quick            3 rounds of 1 s instead of 5 of 3 s
  --scenario NAME    only this one; may be repeated: ${scenarios.map(({ name }) => name).join(", ")}
  --peer NAME        only this one; may be repeated (budgets need sallyport, haproxy, nginx and envoy)
  --custom N=CMD     one more proxy: a command with {port} and {backend} in its arguments, or another build of Sallyport
                     with {objects}, {admin} and {metrics}
  --sallyport FORM   source or bundle; default: bundle when dist/sallyport.mjs has been built
  --rounds N, --seconds S, --latency-rounds N, --latency-seconds S, --rate R
  --no-pin           leave the placement of processes to the scheduler
  --check            exit 1 when a budget is not met or could not be measured
Writes loadtest/report/report.md and report.json.`;

/** Reads the command line; "help" when help was asked for; throws with a message for the user when it makes no sense. */
export function parseOptions(argv: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean" },
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      "no-pin": { type: "boolean", default: false },
      scenario: { type: "string", multiple: true, default: [] },
      peer: { type: "string", multiple: true, default: [] },
      custom: { type: "string", multiple: true, default: [] },
      sallyport: { type: "string", default: defaultForm() },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "latency-rounds": { type: "string" },
      "latency-seconds": { type: "string" },
      rate: { type: "string" },
    },
  });
  if (values.help === true) return "help";
  return {
    scenarios: knownScenarios(values.scenario),
    peers: knownPeers(values.peer),
    custom: values.custom.map(customPeer),
    ...lengths(values),
    rate: positive("rate", values.rate),
    form: knownForm(values.sallyport),
    pinning: values["no-pin"] ? "off" : "on",
    check: values.check ? "on" : "off",
    quick: values.quick ? "on" : "off",
  };
}

type Lengths = Pick<Options, "rounds" | "seconds" | "latencyRounds" | "latencySeconds">;

function lengths(values: Readonly<Record<string, unknown>> & { readonly quick: boolean }): Lengths {
  const of = (name: string, quick: number, full: number): number => {
    const text = values[name];
    return positive(name, typeof text === "string" ? text : undefined) ?? (values.quick ? quick : full);
  };
  return {
    rounds: of("rounds", 3, 5),
    seconds: of("seconds", 1, 3),
    latencyRounds: of("latency-rounds", 1, 5),
    latencySeconds: of("latency-seconds", 1, 3),
  };
}

function knownScenarios(names: readonly string[]): readonly string[] {
  const known = scenarios.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no scenario ${unknown}; there are ${known.join(", ")}`);
  return names.length === 0 ? known : names;
}

function knownPeers(names: readonly string[]): readonly string[] {
  const known = allPeers("source").map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no peer ${unknown}; there are ${known.join(", ")}`);
  return names;
}

function customPeer(text: string): Peer {
  const peer = parseCustomPeer(text);
  if (peer === undefined) throw new Error(`--custom wants NAME=COMMAND with {port} or {objects} in it, not ${text}`);
  return peer;
}

function knownForm(text: string): SallyportForm {
  if (text === "source" || text === "bundle") return text;
  throw new Error(`--sallyport is source or bundle, not ${text}`);
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} wants a whole number from 1, not ${text}`);
  return value;
}
