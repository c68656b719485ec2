// Half of all tries fail while more is asked than can be served: retries must not make it worse, and the line stays short.
import { setTimeout as sleep } from "node:timers/promises";
import type { EndpointCounts } from "./behaviour.ts";
import { startFleet, type Fleet } from "./fleet-control.ts";
import { saturate } from "./load.ts";
import { hostOf, startProxy, type Proxy } from "./objects.ts";
import { atMost, holds, type Figure, type Row, type Stage } from "./row.ts";

const size = 4;
const concurrency = 200;
const connections = 32;
const pending = 64;
const budgetPercent = 20;

const policy = `  retry:
    attempts: 5
    retryOn: [5xx]
    backoff: { base: 1ms }
    budget: { percent: ${budgetPercent}, minConcurrent: 1 }
  circuitBreaker:
    maxConnections: ${connections}
    maxPendingRequests: ${pending}
`;

/** Attempts stay within the budget, waiting requests within the breaker. */
export const storm: Row = {
  name: "storm",
  title: `half of all tries fail, ${concurrency} requests at once, ${connections} connections`,
  run,
};

async function run({ bench, form, quick }: Stage): Promise<readonly Figure[]> {
  const fleet = await startFleet(bench, size);
  for (const port of fleet.ports) await fleet.behave(port, { kind: "serve", delayMs: 0 });
  const endpoints = fleet.ports.map((port) => ({ port, state: "ready" as const }));
  const proxy = await startProxy(bench, form, [{ name: "storm", endpoints, policy }]);
  const before = await sumOf(fleet);
  for (const port of fleet.ports) await fleet.behave(port, { kind: "fail", share: 0.5, status: 500 });
  const watched = watchPending(proxy);
  const outcomes = await saturate({ port: proxy.port, host: hostOf("storm") }, concurrency, quick ? 5 : 20);
  const most = await watched.end();
  const after = await sumOf(fleet);
  const [tries, first] = [after.requests - before.requests, after.first - before.first];
  const overflowed = outcomes.filter(({ status }) => status === 503).length;
  return [
    atMost(`tries by requests that had one (${tries} by ${first})`, tries / first, 1 + budgetPercent / 100),
    atMost("most that waited at once", most, pending),
    holds("beyond the breaker, answered 503", String(overflowed), overflowed > 0),
  ];
}

async function sumOf(fleet: Fleet): Promise<Pick<EndpointCounts, "requests" | "first">> {
  const counts = [...(await fleet.counts()).values()];
  return {
    requests: counts.reduce((sum, { requests }) => sum + requests, 0),
    first: counts.reduce((sum, { first }) => sum + first, 0),
  };
}

/** Reads how many wait, again and again. */
function watchPending({ admin }: Proxy): { end(): Promise<number> } {
  let most = 0;
  let isEnding = false;
  const watch = async (): Promise<void> => {
    while (!isEnding) {
      const clusters: unknown = await (await fetch(`http://127.0.0.1:${admin}/clusters`)).json();
      for (const { pending: waiting } of Array.isArray(clusters) ? clusters : [])
        most = Math.max(most, Number(waiting));
      await sleep(20);
    }
  };
  const watching = watch();
  return {
    end: async () => {
      isEnding = true;
      await watching;
      return most;
    },
  };
}
