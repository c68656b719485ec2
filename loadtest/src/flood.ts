// Measures what a flood of TLS handshakes does to everybody else: the latency of requests on kept connections without it and
// with it, in turns, against the same process. The flood's rate follows from what one handshake costs that proxy, so that it
// takes the same share of a processor from each.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target, TargetChoice } from "./bench.ts";
import { clientLaunch } from "./client-setup.ts";
import { cpuSpent, readCpu } from "./proc.ts";
import type { Launch } from "./processes.ts";
import { fixedRequests } from "./requests.ts";
import type { LatencySample, TargetResult } from "./results.ts";
import { plainChoice, rotated, type RunContext } from "./rounds.ts";
import { sampleLatency, sampleLoad } from "./samples.ts";
import type { FloodScenario } from "./scenario.ts";
import { spreadOf } from "./spread.ts";

const calibrationSeconds = 3;
/** Long enough that the 99th percentile is not that of a few requests. */
const leastLatencySeconds = 3;
/** Until the flood's program has started and its first handshakes are done. */
const floodStartMs = 1000;
/** Callers of the flood: where a proxy falls behind, no more handshakes than these wait at once. */
const floodCallers = 64;
/** Less than this part of the share that was wanted makes the comparison doubtful. */
const acceptedPart = 0.85;

/** Runs the scenario on all peers that serve its front: two results each, `NAME` and `NAME + flood`. */
export async function runFloodScenario(context: RunContext, scenario: FloodScenario): Promise<readonly TargetResult[]> {
  const { options, progress } = context;
  const able = context.peers.filter(({ fronts }) => fronts.includes(scenario.front));
  const run = new FloodRun(context, scenario);
  const entries = able.map((peer) => newEntry(plainChoice(peer, scenario.front)));
  for (const entry of entries) await guarded(entry, () => run.prepare(entry));
  for (let round = 1; round <= options.latencyRounds; round++) {
    for (const entry of rotated(entries, round)) await guarded(entry, () => run.sampleBoth(entry));
    const told = entries.map(({ choice, quiet, flooded }) => {
      return `${choice.name} ${quiet.at(-1)?.p99Ms.toFixed(2)} to ${flooded.at(-1)?.p99Ms.toFixed(2)}`;
    });
    progress(`${scenario.name}: round ${round}/${options.latencyRounds}: p99 ms under the flood: ${told.join(", ")}`);
  }
  for (const { ready } of entries) await ready?.target.running.stop();
  return entries.flatMap((entry) => toResults(entry, scenario.share));
}

/** The name of a peer's result under the flood. */
export function floodedName(peer: string): string {
  return `${peer} + flood`;
}

// A target in progress: `ready` is absent before it has started and after it has failed.
interface Entry {
  readonly choice: TargetChoice;
  readonly quiet: LatencySample[];
  readonly flooded: LatencySample[];
  /** Processors that the proxy took more under the flood. */
  readonly shares: number[];
  readonly notes: string[];
  ready: Ready | undefined;
}

interface Ready {
  readonly target: Target;
  /** Handshakes a second of its flood. */
  readonly rate: number;
}

class FloodRun {
  readonly #context: RunContext;
  readonly #scenario: FloodScenario;
  readonly #requestFile: string;
  readonly #handshakeFile: string;

  constructor(context: RunContext, scenario: FloodScenario) {
    const folder = context.bench.newFolder("requests");
    this.#context = context;
    this.#scenario = scenario;
    this.#requestFile = join(folder, "kept.bin");
    this.#handshakeFile = join(folder, "handshakes.bin");
    writeFileSync(this.#requestFile, scenario.requests().join("\0"), "latin1");
    writeFileSync(this.#handshakeFile, fixedRequests().join("\0"), "latin1");
  }

  /** Starts the target, warms it up with requests, and finds out what a handshake costs it. */
  async prepare(entry: Entry): Promise<void> {
    const { bench, progress } = this.#context;
    const { name, connections, bodyBytes, share } = this.#scenario;
    const target = await bench.startTarget(entry.choice);
    const offer = { seconds: calibrationSeconds, bodyBytes };
    await sampleLoad(bench, target, { ...offer, exchange: "request", requestFile: this.#requestFile, connections });
    const handshakes = { ...offer, exchange: "full handshake", requestFile: this.#handshakeFile } as const;
    const { cpuSeconds, requests } = await sampleLoad(bench, target, { ...handshakes, connections: 16 });
    const rate = Math.max(1, Math.round((share * requests) / cpuSeconds));
    progress(`${name}: ${entry.choice.name}: ${rate} handshakes/s would take ${share} of a processor`);
    entry.notes.push(...target.notes, `${entry.choice.name}: the flood is ${rate} handshakes/s.`);
    entry.ready = { target, rate };
  }

  /** One sample without and one with the flood. */
  async sampleBoth(entry: Entry): Promise<void> {
    if (entry.ready === undefined) return;
    const { bench } = this.#context;
    const { target, rate } = entry.ready;
    const quiet = await this.#sample(target);
    const launch = lowPriority(this.#floodLaunch(target, rate));
    const directory = bench.newFolder("flood");
    const flood = await bench.processes.start({ name: "flood", launch, directory, processors: bench.layout.client });
    try {
      await sleep(floodStartMs);
      const flooded = await this.#sample(target);
      if (flood.hasEnded()) throw new Error(`the flood ended: ${flood.lastWords()}`);
      entry.quiet.push(quiet.sample);
      entry.flooded.push(flooded.sample);
      entry.shares.push(flooded.processors - quiet.processors);
    } finally {
      await flood.stop();
    }
  }

  async #sample(target: Target): Promise<{ sample: LatencySample; processors: number }> {
    const { bench, options } = this.#context;
    const { connections, bodyBytes, rate } = this.#scenario;
    const seconds = Math.max(options.latencySeconds, leastLatencySeconds);
    const offer = { exchange: "request", requestFile: this.#requestFile, connections, bodyBytes, seconds } as const;
    const [before, startedMs] = [readCpu(target.pids), performance.now()];
    const sample = await sampleLatency(bench, target, { ...offer, rate: options.rate ?? rate });
    const spent = cpuSpent(before, readCpu(target.pids));
    return { sample, processors: (spent.seconds * 1000) / (performance.now() - startedMs) };
  }

  // It runs until it is stopped: a day is longer than any sample.
  #floodLaunch({ port, certificate }: Target, rate: number): Launch {
    const setup = { port, certificate, rate, requestFile: this.#handshakeFile, sessions: "new" } as const;
    return clientLaunch("tls/handshake-load.ts", { ...setup, connections: floodCallers, seconds: 86_400 });
  }
}

// Where flood and generator share a processor, the generator must not wait for the flood: its own lateness would read as the
// proxy's.
function lowPriority({ command, args, env }: Launch): Launch {
  return { command: "nice", args: ["-n", "19", command, ...args], ...(env === undefined ? {} : { env }) };
}

function newEntry(choice: TargetChoice): Entry {
  return { choice, quiet: [], flooded: [], shares: [], notes: [], ready: undefined };
}

async function guarded(entry: Entry, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    entry.notes.push(`${entry.choice.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    await entry.ready?.target.running.stop();
    entry.ready = undefined;
  }
}

function toResults({ choice, quiet, flooded, shares, notes }: Entry, share: number): readonly TargetResult[] {
  const availability = choice.peer.availability();
  const version = availability.kind === "available" ? availability.version : "";
  const taken = spreadOf(shares)?.median;
  const said = taken === undefined ? [] : [shareNote(choice.name, taken, share)];
  const base = { version, load: [], idle: [] };
  return [
    { ...base, target: choice.name, latency: quiet, notes },
    { ...base, target: floodedName(choice.name), latency: flooded, notes: said },
  ];
}

function shareNote(name: string, taken: number, wanted: number): string {
  const told = `${name}: the flood took ${taken.toFixed(2)} of a processor`;
  return taken < wanted * acceptedPart ? `${told} instead of ${wanted}: too little for a verdict.` : `${told}.`;
}
