/** What an answered request pays for outlier detection: to note its answer. */
import { bench } from "@sallyport/testkit/bench";
import type { OutlierDetection } from "@sallyport/model/traffic";
import { Crew } from "../../../test/cluster/health-crew.ts";

const DETECTION: OutlierDetection = {
  consecutive5xx: 5,
  consecutiveGatewayErrors: 0,
  splitLocalOrigin: false,
  consecutiveLocalOrigin: 5,
  interval: 10_000,
  baseEjectionTime: 30_000,
  maxEjectionTime: 300_000,
  maxEjectionPercent: 10,
};
const LABEL = "10.0.0.1:80";

for (const { name, config, statuses } of [
  { name: "without detection", config: {}, statuses: [200, 200] },
  { name: "with detection", config: { outlierDetection: DETECTION }, statuses: [200, 200] },
  { name: "with detection, every other one fails", config: { outlierDetection: DETECTION }, statuses: [200, 503] },
]) {
  const crew = new Crew({ shape: { workers: 2, slots: 1024 }, config, labels: [LABEL] });
  const host = crew.host(0, LABEL);
  const [one = 200, other = 200] = statuses;
  bench(`note two answers ${name}`, (iterations) => {
    for (let i = 0; i < iterations; i++) {
      host.noteAnswer(one);
      host.noteAnswer(other);
    }
    return host;
  });
}
