// Every endpoint is replaced, one after the other, as a Deployment does it: new ones become ready, old ones are terminating
// and still serve, then leave as servers do on SIGTERM. Without retries, and half of the requests may not be repeated.
import { setTimeout as sleep } from "node:timers/promises";
import { startFleet } from "./fleet-control.ts";
import { countFailures, Load, tellFailures } from "./load.ts";
import { hostOf, startProxy, writeEndpoints, type SliceEndpoint } from "./objects.ts";
import { atMost, type Figure, type Row, type Stage } from "./row.ts";

const replicas = 5;
/** From "terminating" to the end of the server: what a preStop hook or a slow shutdown leaves. */
const graceMs = 500;

/** No request may be lost. */
export const rollout: Row = {
  name: "rollout",
  title: "a rollout of every endpoint with terminating and serving states, without retries",
  run,
};

async function run({ bench, form, quick }: Stage): Promise<readonly Figure[]> {
  const fleet = await startFleet(bench, replicas * 2);
  const old = fleet.ports.slice(0, replicas);
  const fresh = fleet.ports.slice(replicas);
  const endpoints = new Map<number, SliceEndpoint["state"]>(old.map((port) => [port, "ready"]));
  const list = (): SliceEndpoint[] => [...endpoints].map(([port, state]) => ({ port, state }));
  const proxy = await startProxy(bench, form, [{ name: "rollout", endpoints: list() }]);
  const target = { port: proxy.port, host: hostOf("rollout"), rate: 500 };
  const loads = [new Load(target), new Load({ ...target, method: "POST" })];
  const write = (): void => writeEndpoints(proxy.directory, "rollout", list());
  for (let round = 0; round < (quick ? 1 : 4); round++) {
    const [leaving, coming] = round % 2 === 0 ? [old, fresh] : [fresh, old];
    for (const [index, port] of leaving.entries()) {
      const replacement = coming[index];
      if (replacement === undefined) continue;
      await fleet.behave(replacement, { kind: "serve", delayMs: 20 });
      endpoints.set(replacement, "ready");
      write();
      await sleep(200);
      endpoints.set(port, "terminating");
      write();
      await sleep(graceMs);
      await fleet.behave(port, { kind: "leaving" });
      endpoints.delete(port);
      write();
    }
  }
  const outcomes = (await Promise.all(loads.map((load) => load.end()))).flat();
  const what = `lost of ${outcomes.length} requests, half of them POST (${tellFailures(outcomes)})`;
  return [atMost(what, countFailures(outcomes), 0)];
}
