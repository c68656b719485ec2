// Runs a load scenario: all targets side by side, one sample of each in every round and in another order each time, so
// that a slow minute of the machine falls on all of them and not on one.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Target, TargetChoice } from "./bench.ts";
import type { Exchange } from "./closed-loop-contract.ts";
import type { Options } from "./options.ts";
import type { Front, Peer } from "./peers/peer.ts";
import type { LatencySample, LoadSample, TargetResult } from "./results.ts";
import { sampleLatency, sampleLoad, type Offer } from "./samples.ts";
import type { LoadScenario } from "./scenario.ts";

// A proxy runs for days, and a just-in-time compiler needs some hundred thousand requests until a request costs what it will
// cost from then on: on a slow machine the first samples of a shorter warm-up are a third too dear.
const warmUpSeconds = {
  request: 12,
  "full handshake": 15,
  "resumed handshake": 15,
  datagram: 6,
} as const satisfies Record<Exchange, number>;

/** Seconds; a quick run shows that things work, and roughly what they cost. */
const QUICK_WARM_UP = 3;

/** Says what is going on, a line at a time. */
export type Progress = (line: string) => void;

/** What a scenario runs with. */
export interface RunContext {
  readonly bench: Bench;
  readonly options: Options;
  readonly peers: readonly Peer[];
  readonly progress: Progress;
}

/** Runs the scenario on all peers that are able to take part; a target that fails tells why and the others go on. */
export async function runLoadScenario(context: RunContext, scenario: LoadScenario): Promise<readonly TargetResult[]> {
  const { bench, options, progress } = context;
  const requestFile = join(bench.newFolder("requests"), "requests.bin");
  writeFileSync(requestFile, scenario.requests().join("\0"), "latin1");
  const { exchange, connections, bodyBytes, streams, total } = scenario;
  const offer: Offer = {
    requestFile,
    exchange,
    connections,
    bodyBytes,
    seconds: options.seconds,
    ...(streams === undefined ? {} : { streams }),
    ...(total === undefined ? {} : { total }),
  };
  const entries = await startEntries(context, choicesFor(scenario, context.peers));
  progress(`${scenario.name}: warming up ${entries.length} targets`);
  const warmUp = { ...offer, seconds: options.quick === "on" ? QUICK_WARM_UP : warmUpSeconds[exchange] };
  for (const entry of entries) await attempt(entry, (target) => sampleLoad(bench, target, warmUp));
  for (let round = 0; round < options.rounds; round++) {
    await loadRound(context, { name: `${scenario.name}: round ${round + 1}/${options.rounds}`, offer, round }, entries);
  }
  if (scenario.rate !== undefined)
    await latencyRounds(context, { ...scenario, rate: scenario.rate }, { offer, entries });
  for (const { target } of entries) await target?.running.stop();
  return entries.map(toResult);
}

async function latencyRounds(
  { bench, options, progress }: RunContext,
  scenario: { readonly name: string; readonly rate: number },
  { offer, entries }: { readonly offer: Offer; readonly entries: readonly Entry[] },
): Promise<void> {
  const timed = { ...offer, seconds: options.latencySeconds, rate: options.rate ?? scenario.rate };
  for (let round = 0; round < options.latencyRounds; round++) {
    progress(`${scenario.name}: latency at ${timed.rate}/s, round ${round + 1}/${options.latencyRounds}`);
    for (const entry of rotated(entries, round)) {
      const sample = await attempt(entry, (target) => sampleLatency(bench, target, timed));
      if (sample !== undefined) entry.latency.push(sample);
    }
  }
}

/** The targets of a scenario; `peers` are those that run on this machine. */
export function choicesFor(scenario: LoadScenario, peers: readonly Peer[]): readonly TargetChoice[] {
  const able = peers.filter(({ fronts }) => fronts.includes(scenario.front));
  const plain = (peer: Peer): TargetChoice => plainChoice(peer, scenario.front);
  switch (scenario.compares) {
    case "peers":
      return able.map(plain);
    case "route counts":
      return able
        .filter((peer) => peer.abilities.includes("many routes"))
        .flatMap((peer) => [plain(peer), { ...plain(peer), name: `${peer.name} + 10 000 routes`, routes: "many" }]);
    case "access log":
      return able
        .filter((peer) => peer.abilities.includes("access log"))
        .flatMap((peer) => [plain(peer), { ...plain(peer), name: `${peer.name} + access log`, accessLog: "on" }]);
    case "traffic policies":
      return able
        .filter((peer) => peer.abilities.includes("traffic policies"))
        .flatMap((peer) => [plain(peer), { ...plain(peer), name: `${peer.name} + traffic policies`, policies: "on" }]);
    default:
      return [];
  }
}

/** A peer with one route, no access log and no policies. */
export function plainChoice(peer: Peer, front: Front): TargetChoice {
  return { name: peer.name, peer, front, accessLog: "off", routes: "one", policies: "off" };
}

/** The list from another beginning each round. */
export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const cut = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(cut), ...items.slice(0, cut)];
}

// A target in progress: what it gave so far, and why it stopped giving.
interface Entry {
  readonly choice: TargetChoice;
  readonly target: Target | undefined;
  readonly load: LoadSample[];
  readonly latency: LatencySample[];
  /** Why samples had to be taken again. */
  readonly repeated: string[];
  failure: string | undefined;
}

async function startEntries(context: RunContext, choices: readonly TargetChoice[]): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const choice of choices) {
    let target: Target | undefined;
    let failure: string | undefined;
    try {
      target = await context.bench.startTarget(choice);
    } catch (error) {
      failure = `did not start: ${messageOf(error)}`;
      context.progress(`${choice.name} ${failure}`);
    }
    entries.push({ choice, target, failure, load: [], latency: [], repeated: [] });
  }
  return entries;
}

interface Round {
  readonly name: string;
  readonly offer: Offer;
  readonly round: number;
}

async function loadRound(context: RunContext, { name, offer, round }: Round, entries: readonly Entry[]): Promise<void> {
  const told: string[] = [];
  for (const entry of rotated(entries, round)) {
    const sample = await attempt(entry, (target) => sampleLoad(context.bench, target, offer));
    if (sample === undefined) continue;
    entry.load.push(sample);
    told.push(`${entry.choice.name} ${((sample.cpuSeconds * 1e6) / sample.requests).toFixed(1)}`);
  }
  context.progress(`${name}: CPU us/request: ${told.join(", ")}`);
}

// A failed sample is taken once more, and the report says so: a machine under other load starves a client now and then. A
// second failure takes the target out of the scenario: its later figures would be those of a broken process.
async function attempt<T>(entry: Entry, sample: (target: Target) => Promise<T>): Promise<T | undefined> {
  if (entry.target === undefined || entry.failure !== undefined) return undefined;
  for (const tries of ["first", "last"]) {
    try {
      return await sample(entry.target);
    } catch (error) {
      if (tries === "last") entry.failure = `failed: ${messageOf(error)}`;
      else entry.repeated.push(messageOf(error));
    }
  }
  return undefined;
}

function toResult({ choice, target, load, latency, repeated, failure }: Entry): TargetResult {
  const availability = choice.peer.availability();
  const version = availability.kind === "available" ? availability.version : "";
  const notes = [
    ...(target?.notes ?? []),
    ...repeated.map((reason) => `${choice.name}: a sample was taken again: ${reason}`),
    ...(failure === undefined ? [] : [`${choice.name} ${failure}`]),
  ];
  return { target: choice.name, version, load, latency, idle: [], notes };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
