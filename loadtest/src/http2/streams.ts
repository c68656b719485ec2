// Measures what an open stream costs a proxy: calls that their backend holds until all of them are there, as long polls and watches
// do. All of them have to be answered in the end, each with its bytes; one that is not fails the sample.
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Target } from "../bench.ts";
import type { Peer } from "../peers/peer.ts";
import { readMemory } from "../proc.ts";
import { grpcMessage, grpcRequests } from "../requests.ts";
import type { IdleSample, TargetResult } from "../results.ts";
import { plainChoice, rotated, type RunContext } from "../rounds.ts";
import type { StreamsScenario } from "../scenario.ts";
import { readSettledMemory } from "../settled-memory.ts";
import { requestFrames } from "./frames.ts";
import { callGrpc } from "./probe.ts";
import { partsOf } from "./request-parts.ts";
import { StreamClient } from "./stream-client.ts";

const messageBytes = 64;
/** The most rounds: a sample takes a minute, and its figure hardly varies. */
const mostRounds = 3;
const patienceMs = 30_000;

/** Runs the scenario on every peer, each time in a fresh process. */
export async function runStreamsScenario(
  context: RunContext,
  scenario: StreamsScenario,
): Promise<readonly TargetResult[]> {
  const { bench, options, progress } = context;
  const peers = context.peers.filter(({ fronts }) => fronts.includes(scenario.front));
  const rounds = Math.min(options.rounds, options.quick === "on" ? 1 : mostRounds);
  const entries = peers.map((peer) => ({
    peer,
    idle: [] as IdleSample[],
    notes: [...peer.deviations(scenario.front)],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { peer, idle, notes } of rotated(entries, round)) {
      try {
        const sample = await sampleFresh(bench, peer, scenario);
        idle.push(sample);
        const cost = `${((sample.bytesPerStream ?? 0) / 1000).toFixed(1)} kB an open stream`;
        progress(`${scenario.name}: round ${round + 1}/${rounds}: ${peer.name} ${cost}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        notes.push(`${peer.name} failed: ${reason}`);
        progress(`${scenario.name}: ${peer.name} failed: ${reason}`);
      }
    }
  }
  return entries.map(({ peer, idle, notes }) => {
    const availability = peer.availability();
    const version = availability.kind === "available" ? availability.version : "";
    return { target: peer.name, version, load: [], latency: [], idle, notes };
  });
}

async function sampleFresh(bench: Bench, peer: Peer, scenario: StreamsScenario): Promise<IdleSample> {
  const target = await bench.startTarget(plainChoice(peer, scenario.front));
  try {
    return await sampleStreams(bench, target, scenario);
  } finally {
    await target.running.stop();
  }
}

async function sampleStreams(
  bench: Bench,
  target: Target,
  { connections, streams }: Pick<StreamsScenario, "connections" | "streams">,
): Promise<IdleSample> {
  const backend = await bench.grpcBackend();
  // Warm first, in the shape of what follows: code and buffers that any load needs are no cost of the streams.
  await holdAndRelease(target, backend.port, { connections: 10, streams, read: () => Promise.resolve() });
  const before = await readAtRest(target);
  let after = before;
  const read = async (): Promise<void> => {
    after = await readAtRest(target);
  };
  await holdAndRelease(target, backend.port, { connections, streams, read });
  const count = connections * streams;
  return { ...after, bytesPerStream: (after.rssAnon - before.rssAnon) / count, openConnections: count };
}

interface Hold {
  readonly connections: number;
  readonly streams: number;
  /** Runs while all streams are open. */
  readonly read: () => Promise<void>;
}

/** Opens the streams, waits until the backend has them all, lets them go and checks every answer; throws where one is not right. */
async function holdAndRelease(
  target: Target,
  backendPort: number,
  { connections, streams, read }: Hold,
): Promise<void> {
  const [request = ""] = grpcRequests("Hold", messageBytes);
  const frames = requestFrames(partsOf(request), "http");
  const bodyBytes = grpcMessage("x".repeat(messageBytes)).length;
  const count = connections * streams;
  const clients: StreamClient[] = [];
  try {
    for (let index = 0; index < connections; index++) {
      const client = await StreamClient.open(target.port, bodyBytes);
      clients.push(client);
      for (let stream = 0; stream < streams; stream++) client.send(frames);
    }
    let held = "0";
    await waitFor(clients, `${count} calls to be held`, async () => {
      held = await callGrpc(backendPort, "Held");
      return held === String(count);
    }).catch((error: unknown) => {
      throw new Error(`the backend has ${held} of ${count} calls: ${String(error)}`);
    });
    await read();
    const released = await callGrpc(backendPort, "Release");
    if (released !== String(count)) throw new Error(`${released} of ${count} calls were still open`);
    await waitFor(clients, "all answers", () => Promise.resolve(clients.every(({ open }) => open === 0)));
    const completed = clients.reduce((sum, client) => sum + client.completed, 0);
    if (completed !== count) throw new Error(`${completed} of ${count} calls were answered`);
  } finally {
    for (const client of clients) client.close();
    await callGrpc(backendPort, "Release");
  }
}

async function waitFor(
  clients: readonly StreamClient[],
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await condition())) {
    const failure = clients.find((client) => client.failure !== "")?.failure;
    if (failure !== undefined) throw new Error(failure);
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await sleep(50);
  }
}

function readAtRest(target: Target): Promise<IdleSample> {
  return readSettledMemory({ read: () => readMemory(target.pids), waitSecond: () => sleep(1000) }).then((memory) => ({
    ...memory,
    openConnections: 0,
  }));
}
