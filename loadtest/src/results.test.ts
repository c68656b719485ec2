import assert from "node:assert/strict";
import { test } from "node:test";
import { bottleneck, figure, ratio, type LoadSample, type ProcessorUse, type TargetResult } from "./results.ts";

const idleUse: ProcessorUse = { proxy: 0.5, backend: 0.3, client: 0.3, others: 0, stolen: 0 };

function sample(cpuSeconds: number, requests: number, use: Partial<ProcessorUse> = {}): LoadSample {
  return {
    requests,
    cpuSeconds,
    seconds: 2,
    failures: 0,
    userShare: 0.5,
    rss: 50e6,
    rssAnon: 20e6,
    peakRss: 60e6,
    use: { ...idleUse, ...use },
  };
}

function target(name: string, load: readonly LoadSample[]): TargetResult {
  return { target: name, version: "1", load, latency: [], idle: [], notes: [] };
}

test("CPU per request is the median over samples, in microseconds", () => {
  const result = target("a", [sample(1, 50_000), sample(2, 50_000), sample(1.1, 50_000)]);
  assert.equal(figure(result, "cpuMicrosPerRequest", 65)?.median, 22);
  assert.equal(figure(result, "requestsPerSecond", 65)?.median, 25_000);
  assert.equal(figure(result, "p99Ms", 65), undefined);
});

test("CPU per GiB counts the bodies", () => {
  const result = target("a", [sample(0.5, 2048)]);
  assert.equal(figure(result, "cpuSecondsPerGib", 1024 * 1024)?.median, 0.25);
});

test("datagrams count there and back", () => {
  const result = target("a", [sample(0.5, 10_000), sample(0.4, 10_000), sample(0.8, 10_000)]);
  assert.equal(figure(result, "datagramsPerCpuSecond", 0)?.median, 40_000);
});

test("a ratio divides medians, and there is none to a target that was not measured", () => {
  const scenario = {
    kind: "load" as const,
    name: "vary",
    title: "",
    exchange: "request" as const,
    bodyBytes: 65,
    targets: [target("a", [sample(3, 100)]), target("b", [sample(2, 100)]), target("c", [])],
  };
  assert.equal(ratio(scenario, "cpuMicrosPerRequest", ["a", "b"]), 1.5);
  assert.equal(ratio(scenario, "cpuMicrosPerRequest", ["a", "c"]), undefined);
  assert.equal(ratio(scenario, "cpuMicrosPerRequest", ["a", "nobody"]), undefined);
});

test("the limit is the side that was full, together where two share a processor, else the noise", () => {
  assert.equal(bottleneck([sample(1, 1, { proxy: 0.98 })], "none"), "proxy");
  assert.equal(bottleneck([sample(1, 1, { client: 0.95 })], "none"), "client");
  const half = [sample(1, 1, { backend: 0.5, client: 0.45 })];
  assert.equal(bottleneck(half, "client and backend"), "client + backend");
  assert.match(bottleneck(half, "none"), /^none/);
  assert.equal(bottleneck([sample(1, 1, { others: 0.5 })], "none"), "other work on the machine");
});
