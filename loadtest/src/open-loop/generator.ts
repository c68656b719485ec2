// The open-loop client as a program: `generator.ts SETUP-AS-JSON` sends requests at a fixed rate and prints what it saw as
// one line of JSON. Latency counts from the arrival the pacer announced; how late the generator itself woke for it is told
// apart, so that a starved generator shows as such and not as a slow proxy.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { percentile } from "../spread.ts";
import { OpenLoopClient } from "./client.ts";
import { dialectOf } from "./dialect.ts";
import { openerFor } from "./opener.ts";
import { monotonicMs } from "./clock.ts";
import type { ArrivalCount, PacerSetup } from "./pacer.ts";
import { decodeGeneratorSetup, type GeneratorSetup, type OpenLoopTotals } from "./report-line.ts";
import { arrivalTime } from "./schedule.ts";

const gridMs = 0.2;
const warmUpSeconds = 0.5;
const patienceMs = 2000;

const setup = decodeGeneratorSetup(process.argv[2] ?? "");
const { port, connections, version } = setup;
const certificate = setup.certificate === "" ? undefined : readFileSync(setup.certificate);
const client = await OpenLoopClient.open({
  opener: openerFor(port, certificate, version),
  dialect: dialectOf(version, certificate === undefined ? "http" : "https"),
  requests: readFileSync(setup.requestFile, "latin1").split("\0"),
  connections,
});

await offer({ ...setup, seconds: warmUpSeconds });
client.reset();
const lateness = await offer(setup);
await settle();
process.stdout.write(`${JSON.stringify(summary(lateness))}\n`);

/** Releases all arrivals of one stretch; returns how late each was noticed, in milliseconds. */
async function offer({ rate, seconds }: GeneratorSetup): Promise<readonly number[]> {
  const late: number[] = [];
  // A little ahead, so that the thread is up before the first arrival.
  const startMs = monotonicMs() + 100;
  const workerData: PacerSetup = { startMs, rate, seconds, gridMs };
  const pacer = new Worker(new URL("pacer.ts", import.meta.url), { workerData });
  await new Promise<void>((resolve, reject) => {
    let released = 0;
    pacer.on("error", reject);
    pacer.on("message", (arrived: ArrivalCount) => {
      if (arrived < 0) resolve();
      const now = monotonicMs();
      for (; released < arrived; released++) {
        late.push(now - startMs - arrivalTime(released, rate));
        client.arrive(now);
      }
    });
  });
  return late;
}

async function settle(): Promise<void> {
  const deadline = monotonicMs() + patienceMs;
  while (client.pending() > 0 && monotonicMs() < deadline) await sleep(5);
}

function summary(late: readonly number[]): OpenLoopTotals {
  const { latencies, failures, unanswered, longestQueue } = client.end();
  return {
    requests: latencies.length,
    failures: failures + unanswered,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
    lateP50Ms: percentile(late, 0.5),
    lateP99Ms: percentile(late, 0.99),
    longestQueue,
  };
}
