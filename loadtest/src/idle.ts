// Measures proxies that do nothing: the memory of a fresh process, and what an idle client connection costs it.
import { setTimeout as sleep } from "node:timers/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Target, TargetChoice } from "./bench.ts";
import { heldConnections, raiseFileLimit } from "./file-limit.ts";
import { holdConnections } from "./idle-connections.ts";
import { openerFor } from "./open-loop/opener.ts";
import { readMemory, type MemoryReading } from "./proc.ts";
import { fixedRequests } from "./requests.ts";
import type { IdleSample, TargetResult } from "./results.ts";
import { plainChoice, rotated, type RunContext } from "./rounds.ts";
import { sampleLoad } from "./samples.ts";
import type { IdleScenario } from "./scenario.ts";
import { readSettledMemory } from "./settled-memory.ts";

/** Time for a process to come to rest that has just started and done nothing. */
const freshMs = 3000;

/** Runs the scenario on every peer, each time in a fresh process. */
export async function runIdleScenario(context: RunContext, scenario: IdleScenario): Promise<readonly TargetResult[]> {
  const { options, progress } = context;
  const peers = context.peers.filter(({ fronts }) => fronts.includes(scenario.front));
  // Ten thousand connections take up to a minute a peer; their cost hardly varies.
  const rounds = scenario.connections > 0 ? Math.min(options.rounds, options.quick === "on" ? 1 : 3) : options.rounds;
  const connections = heldConnections(scenario.connections, raiseFileLimit());
  const fewer =
    connections < scenario.connections
      ? [`Only ${connections} connections: more need a higher limit on open files.`]
      : [];
  for (const note of fewer) progress(`${scenario.name}: ${note}`);
  const entries = peers.map((peer) => ({
    peer,
    idle: [] as IdleSample[],
    notes: [...peer.deviations(scenario.front), ...fewer],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { peer, idle, notes } of rotated(entries, round)) {
      try {
        const sample = await sampleIdle(context.bench, plainChoice(peer, scenario.front), connections);
        idle.push(sample);
        progress(`${scenario.name}: round ${round + 1}/${rounds}: ${peer.name} ${told(sample)}`);
      } catch (error) {
        notes.push(`${peer.name} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return entries.map(({ peer, idle, notes }) => {
    const availability = peer.availability();
    const version = availability.kind === "available" ? availability.version : "";
    return { target: peer.name, version, load: [], latency: [], idle, notes };
  });
}

async function sampleIdle(bench: Bench, choice: TargetChoice, connections: number): Promise<IdleSample> {
  const target = await bench.startTarget(choice);
  try {
    if (connections > 0) return await sampleConnections(bench, target, connections);
    await sleep(freshMs);
    return { ...readMemory(target.pids), openConnections: 0 };
  } finally {
    await target.running.stop();
  }
}

async function sampleConnections(bench: Bench, target: Target, connections: number): Promise<IdleSample> {
  const [request = ""] = fixedRequests();
  const requestFile = join(bench.newFolder("requests"), "requests.bin");
  writeFileSync(requestFile, request, "latin1");
  // Warm first: code, upstream connections and buffers that any load needs are no cost of the connections.
  await sampleLoad(bench, target, { requestFile, exchange: "request", connections: 64, seconds: 2, bodyBytes: 0 });
  const before = await readAtRest(target);
  const certificate = target.certificate === "" ? undefined : readFileSync(target.certificate);
  const held = await holdConnections(openerFor(target.port, certificate), Buffer.from(request, "latin1"), connections);
  try {
    const after = await readAtRest(target);
    const open = held.open();
    if (open < connections * 0.99) throw new Error(`it kept ${open} of ${connections} connections open`);
    return { ...after, bytesPerConnection: (after.rssAnon - before.rssAnon) / open, openConnections: open };
  } finally {
    held.close();
  }
}

function readAtRest(target: Target): Promise<MemoryReading> {
  return readSettledMemory({ read: () => readMemory(target.pids), waitSecond: () => sleep(1000) });
}

function told({ rssAnon, bytesPerConnection }: IdleSample): string {
  if (bytesPerConnection !== undefined) return `${(bytesPerConnection / 1000).toFixed(1)} kB a connection`;
  return `${(rssAnon / 1e6).toFixed(1)} MB private`;
}
