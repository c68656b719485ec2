// Endpoints that come and go ten times a second, dying before anybody is told, under 2000 requests a second.
import { setTimeout as sleep } from "node:timers/promises";
import { startFleet } from "./fleet-control.ts";
import { countFailures, Load, tellFailures } from "./load.ts";
import { hostOf, startProxy, writeEndpoints } from "./objects.ts";
import { atMost, holds, timed, type Figure, type Row, type Stage } from "./row.ts";

const size = 20;
/** So many stay in any case. */
const least = 10;
const everyMs = 100;
const rate = 2000;

const policy = `  retry:
    attempts: 3
    retryOn: [connect-failure, refused-stream, reset]
    backoff: { base: 5ms }
    budget: { percent: 100, minConcurrent: 100 }
`;

/** No request may be lost. */
export const churn: Row = {
  name: "churn",
  title: `endpoints come and go at ${1000 / everyMs} a second under ${rate} requests a second, with retries`,
  run,
};

async function run({ bench, form, quick }: Stage): Promise<readonly Figure[]> {
  const fleet = await startFleet(bench, size);
  const present = new Set(fleet.ports);
  const list = (): { port: number; state: "ready" }[] => [...present].map((port) => ({ port, state: "ready" }));
  const proxy = await startProxy(bench, form, [{ name: "churn", endpoints: list(), policy }]);
  const load = new Load({ port: proxy.port, host: hostOf("churn"), rate });
  const absent: number[] = [];
  let changes = 0;
  for (const endAt = quick ? 5000 : 30_000; load.nowMs < endAt; changes++) {
    const isLeaving = absent.length === 0 || (present.size > least && Math.random() < 0.5);
    const port = isLeaving ? [...present][Math.floor(Math.random() * present.size)] : absent.shift();
    if (port === undefined) break;
    if (isLeaving) {
      await fleet.behave(port, { kind: "dead" });
      present.delete(port);
      absent.push(port);
    } else {
      await fleet.behave(port, { kind: "serve", delayMs: 0 });
      present.add(port);
    }
    // told late, as an endpoint controller tells
    await sleep(everyMs / 2);
    writeEndpoints(proxy.directory, "churn", list());
    await sleep(Math.max(0, (changes + 1) * everyMs - load.nowMs));
  }
  const seconds = load.nowMs / 1000;
  const outcomes = await load.end();
  return [
    atMost(`lost of ${outcomes.length} requests (${tellFailures(outcomes)})`, countFailures(outcomes), 0),
    timed(holds("changes a second", (changes / seconds).toFixed(1), changes / seconds > 8)),
    timed(holds("requests a second", (outcomes.length / seconds).toFixed(0), outcomes.length / seconds > rate * 0.9)),
  ];
}
