// The failover test of gateway-api-bench: Services with healthy endpoints and one that is ill and well by turns, many routes, under
// four policies at once. Errors may only be what the policy allows.
import { setTimeout as sleep } from "node:timers/promises";
import { startFleet, type Fleet } from "./fleet-control.ts";
import { countFailures, Load, type Outcome } from "./load.ts";
import { hostOf, startProxy } from "./objects.ts";
import { atMost, holds, timed, type Figure, type Row, type Stage } from "./row.ts";

const size = 4;
const rate = 150;
const routes = 100;
const failures = 5;
const checkMs = 500;
const threshold = 2;

const passive = `  healthCheck:
    passive:
      consecutive5xxErrors: ${failures}
      interval: 1s
      baseEjectionTime: 2s
      maxEjectionTime: 2s
      maxEjectionPercent: 50
`;
const policies = {
  none: undefined,
  retries: `  retry:
    attempts: 2
    retryOn: [gateway-error]
`,
  outlier: passive,
  active: `  healthCheck:
    active:
      type: HTTP
      http: { path: /health }
      interval: ${checkMs}ms
      unhealthyInterval: ${checkMs}ms
      timeout: 400ms
      unhealthyThreshold: ${threshold}
`,
} as const satisfies Record<string, string | undefined>;
type Policy = keyof typeof policies;

/** Each policy keeps its promise. */
export const failover: Row = {
  name: "failover",
  title: `one of ${size} endpoints is ill by turns, ${routes} routes a Service`,
  run,
};

async function run({ bench, form, quick }: Stage): Promise<readonly Figure[]> {
  const periodMs = quick ? 5000 : 22_000;
  const names = ["none", "retries", "outlier", "active"] as const;
  const fleet = await startFleet(bench, size);
  const endpoints = fleet.ports.map((port) => ({ port, state: "ready" as const }));
  const services = names.map((name) => {
    const policy = policies[name];
    return { name, endpoints, routes, ...(policy === undefined ? {} : { policy }) };
  });
  const proxy = await startProxy(bench, form, services);
  const loads = names.map((name) => new Load({ port: proxy.port, host: hostOf(name), rate, path: `/part-7` }));
  const turns = await flap(fleet, periodMs, quick ? 2 : 3);
  const ended = await Promise.all(loads.map((load) => load.end()));
  const byName = new Map<Policy, readonly Outcome[]>(names.map((name, index) => [name, ended[index] ?? []]));
  const errors = (name: Policy): number => countFailures(byName.get(name) ?? []);
  const illSeconds = (turns * periodMs) / 1000;
  // within one period an endpoint is let back every two seconds and needs so many errors to be ejected again
  const probes = Math.ceil(periodMs / 2000) + 1;
  const allowedActive = ((threshold + 1) * checkMs * rate * turns) / 1000 / size;
  const expected = (illSeconds * rate) / size;
  return [
    holds("without a policy: errors by its share", `${errors("none")} of ${expected.toFixed(0)}`, errors("none") > 0),
    atMost("with retries: errors", errors("retries"), 0),
    atMost(`with outlier detection: errors in ${turns} turns`, errors("outlier"), turns * probes * (failures + 2)),
    timed(atMost(`with active checks: errors in ${turns} turns`, errors("active"), Math.ceil(allowedActive * 1.5))),
  ];
}

/** The first endpoint is ill and well by turns; how often it was ill. */
async function flap(fleet: Fleet, periodMs: number, turns: number): Promise<number> {
  const [flapping = 0] = fleet.ports;
  for (let turn = 0; turn < turns; turn++) {
    await sleep(turn === 0 ? 2000 : periodMs);
    await fleet.behave(flapping, { kind: "fail", share: 1, status: 503 });
    await sleep(periodMs);
    await fleet.behave(flapping, { kind: "serve", delayMs: 0 });
  }
  await sleep(3000);
  return turns;
}
