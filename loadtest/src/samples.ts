// Takes one sample: a client against one target, with the processor time of every side around it.
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { emptyLogs, type Bench, type Target } from "./bench.ts";
import type { Exchange } from "./closed-loop-contract.ts";
import { closedLoopLaunch, readTotals } from "./closed-loop.ts";
import { openLoopLaunch, readOpenLoopTotals } from "./open-loop/report-line.ts";
import {
  cpuSpent,
  readCpu,
  readMachine,
  readMemory,
  readPeakMemory,
  resetPeakMemory,
  ticksPerSecond,
  type CpuReading,
  type CpuSpent,
  type MachineReading,
} from "./proc.ts";
import type { LatencySample, LoadSample, ProcessorUse } from "./results.ts";
import type { Launch, Running } from "./processes.ts";

/** What a client sends. */
export interface Offer {
  readonly exchange: Exchange;
  readonly requestFile: string;
  readonly connections: number;
  readonly seconds: number;
  /** HTTP/2: streams at once on each connection; absent for HTTP/1.1. */
  readonly streams?: number;
  /** HTTP/2: so many requests instead of so many seconds. */
  readonly total?: number;
  /** Least size of an answer in bytes: fewer mean that something else was answered. */
  readonly bodyBytes: number;
}

/** Loads the target as far as it goes and tells what that cost it. */
export async function sampleLoad(bench: Bench, target: Target, offer: Offer): Promise<LoadSample> {
  const { port, backend, certificate } = target;
  const launch = closedLoopLaunch({ ...offer, port, certificate });
  resetPeakMemory(target.pids);
  const before = readSides(target.pids, backend.pids);
  const client = await startClient(bench, "client", launch);
  const clientCpu = await watchUntilEnd(client);
  const after = readSides(target.pids, backend.pids);
  const totals = readTotals(client.stdoutFile, offer);
  if (totals.requests === 0) {
    throw new Error(`the client got no answer (${totals.failures} failures): ${target.running.lastWords()}`);
  }
  const short = totals.bytes / totals.requests < offer.bodyBytes ? totals.requests : 0;
  const proxy = cpuSpent(before.proxy, after.proxy);
  const memory = readMemory(target.pids);
  emptyLogs(target);
  return {
    requests: totals.requests,
    seconds: totals.seconds,
    failures: totals.failures + short,
    cpuSeconds: proxy.seconds,
    userShare: proxy.userShare,
    ...memory,
    peakRss: readPeakMemory(target.pids),
    use: processorUse({ before, after, proxy, clientCpu }),
  };
}

/** Sends requests at a fixed rate and tells how long the answers took. */
export async function sampleLatency(
  bench: Bench,
  target: Target,
  offer: Offer & { rate: number },
): Promise<LatencySample> {
  const { requestFile, connections, seconds, rate, streams } = offer;
  const { port, certificate } = target;
  const version = streams === undefined ? "1.1" : "2";
  const launch = openLoopLaunch({ port, requestFile, certificate, connections, seconds, rate, version });
  const generator = await startClient(bench, "generator", launch);
  const code = await generator.ended;
  if (code !== 0) throw new Error(`the generator ended with ${code}: ${generator.lastWords()}`);
  const totals = readOpenLoopTotals(generator.stdoutFile);
  emptyLogs(target);
  return {
    rate,
    requests: totals.requests,
    failures: totals.failures,
    p50Ms: totals.p50Ms,
    p99Ms: totals.p99Ms,
    maxMs: totals.maxMs,
    generatorLateP99Ms: totals.lateP99Ms,
  };
}

interface Sides {
  readonly atMs: number;
  readonly proxy: CpuReading;
  readonly backend: CpuReading;
  readonly harness: NodeJS.CpuUsage;
  readonly machine: MachineReading;
}

function readSides(proxy: readonly number[], backend: readonly number[]): Sides {
  return {
    atMs: performance.now(),
    proxy: readCpu(proxy),
    backend: readCpu(backend),
    harness: process.cpuUsage(),
    machine: readMachine(),
  };
}

function startClient(bench: Bench, name: string, launch: Launch): Promise<Running> {
  const directory = bench.newFolder(name);
  return bench.processes.start({ name, launch, directory, processors: bench.layout.client });
}

// A process that has ended tells nothing any more, so its last reading but one counts: 50 ms of a second at most.
async function watchUntilEnd(client: Running): Promise<CpuSpent> {
  const start = readCpu([client.pid]);
  let last = start;
  while (!client.hasEnded()) {
    const reading = readCpu([client.pid]);
    if (reading.ranNs > last.ranNs) last = reading;
    await Promise.race([client.ended, sleep(50)]);
  }
  const code = await client.ended;
  if (code !== 0) throw new Error(`${client.name} ended with ${code}: ${client.lastWords()}`);
  return cpuSpent(start, last);
}

interface SidesOfSample {
  readonly before: Sides;
  readonly after: Sides;
  readonly proxy: CpuSpent;
  readonly clientCpu: CpuSpent;
}

function processorUse({ before, after, proxy, clientCpu }: SidesOfSample): ProcessorUse {
  const seconds = (after.atMs - before.atMs) / 1000;
  const backend = cpuSpent(before.backend, after.backend);
  const { user, system } = after.harness;
  const harness = (user + system - before.harness.user - before.harness.system) / 1e6;
  const busy = (after.machine.busy - before.machine.busy) / ticksPerSecond;
  const ours = proxy.seconds + backend.seconds + clientCpu.seconds + harness;
  return {
    proxy: proxy.seconds / seconds,
    backend: backend.seconds / seconds,
    client: clientCpu.seconds / seconds,
    others: Math.min(Math.max(0, busy - ours) / seconds, availableParallelism()),
    stolen: (after.machine.stolen - before.machine.stolen) / ticksPerSecond / seconds,
  };
}
