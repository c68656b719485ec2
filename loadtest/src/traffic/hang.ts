// One of five endpoints takes requests and never answers; then it is well again.
import { setTimeout as sleep } from "node:timers/promises";
import { startFleet } from "./fleet-control.ts";
import { countFailures, Load, tellFailures, tookPercentile, type Outcome } from "./load.ts";
import { hostOf, startProxy } from "./objects.ts";
import { atMost, holds, timed, type Figure, type Row, type Stage } from "./row.ts";

const size = 5;
const rate = 500;
const tryMs = 250;
const intervalMs = 1000;
const ejectionMs = 3000;
const windowMs = 6000;

const policy = `  retry:
    attempts: 2
    retryOn: [connect-failure, refused-stream, reset, timeout]
    perTryTimeout: ${tryMs}ms
  healthCheck:
    passive:
      consecutive5xxErrors: 5
      interval: ${intervalMs}ms
      baseEjectionTime: ${ejectionMs}ms
      maxEjectionPercent: 50
  loadBalancer:
    type: LeastRequest
    leastRequest:
      slowStart: { window: ${windowMs}ms, minimumPercent: 10 }
`;

/** The others must not suffer from it. */
export const hang: Row = {
  name: "hang",
  title: `one of ${size} endpoints hangs: outlier detection and slow start`,
  run,
};

async function run({ bench, form, quick }: Stage): Promise<readonly Figure[]> {
  const fleet = await startFleet(bench, size);
  const [victim = 0] = fleet.ports;
  const delays = fleet.ports.map((port) => fleet.behave(port, { kind: "serve", delayMs: 5 }));
  await Promise.all(delays);
  const endpoints = fleet.ports.map((port) => ({ port, state: "ready" as const }));
  const proxy = await startProxy(bench, form, [{ name: "hang", endpoints, policy }]);
  const load = new Load({ port: proxy.port, host: hostOf("hang"), rate });
  await sleep(quick ? 3000 : 10_000);
  const hungAt = load.nowMs;
  const hungEpoch = Date.now();
  await fleet.behave(victim, { kind: "hang" });
  await sleep(ejectionMs - 500);
  const seen = (await fleet.counts()).get(victim);
  const ejectedAfter = Math.max(0, (seen?.lastRequestAt ?? 0) - hungEpoch);
  const healedAt = load.nowMs;
  await fleet.behave(victim, { kind: "serve", delayMs: 5 });
  await sleep(windowMs + 4000);
  const outcomes = await load.end();
  return judge(outcomes, { victim, hungAt, healedAt, ejectedAfter });
}

interface Course {
  readonly victim: number;
  readonly hungAt: number;
  readonly healedAt: number;
  readonly ejectedAfter: number;
}

function judge(outcomes: readonly Outcome[], { victim, hungAt, healedAt, ejectedAfter }: Course): Figure[] {
  const before = outcomes.filter(({ atMs }) => atMs > 1000 && atMs < hungAt);
  const during = outcomes.filter(({ atMs }) => atMs >= hungAt && atMs < healedAt);
  // those that the hung endpoint had first waited for their try to end
  const others = during.filter(({ tookMs, endpoint }) => endpoint !== victim && tookMs < tryMs);
  const was = tookPercentile(before, 0.99);
  const ratio = tookPercentile(others, 0.99) / was;
  const returned = outcomes.find(({ atMs, endpoint }) => atMs > healedAt && endpoint === victim)?.atMs ?? Infinity;
  const [early, late] = [returned + 500, returned + windowMs + 1000].map((from) =>
    shareOf(outcomes, victim, { from, to: from + 1500 }),
  );
  const shares = `${((early ?? 0) * 100).toFixed(0)} % at first, ${((late ?? 0) * 100).toFixed(0)} % at last`;
  return [
    timed(atMost(`p99 of requests to the others, by what it was before (${was.toFixed(1)} ms)`, ratio, 1.2, "x")),
    timed(atMost("last request that the hung endpoint got, after it hung", ejectedAfter, intervalMs, " ms")),
    // a machine that stalls for as long as a try may take makes all endpoints look hung
    timed(atMost(`lost of ${outcomes.length} requests (${tellFailures(outcomes)})`, countFailures(outcomes), 0)),
    timed(holds(`its share of requests when it is well (fair: ${100 / size} %)`, shares, isSlow(early, late))),
  ];
}

function isSlow(early = 1, late = 0): boolean {
  return early < 0.75 / size && late > 0.75 / size;
}

function shareOf(
  outcomes: readonly Outcome[],
  endpoint: number,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const within = outcomes.filter(({ atMs }) => atMs >= from && atMs < to);
  return within.filter((outcome) => outcome.endpoint === endpoint).length / Math.max(1, within.length);
}
