import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, readBudgets, type Budget } from "./budgets.ts";
import type { RunResult, TargetResult } from "./results.ts";
import { scenarios } from "./scenarios.ts";

function target(name: string, micros: number): TargetResult {
  const use = { proxy: 1, backend: 0.5, client: 0.5, others: 0, stolen: 0 };
  const sample = {
    requests: 1e6,
    cpuSeconds: micros,
    seconds: 1,
    failures: 0,
    userShare: 0.3,
    rss: 1,
    rssAnon: 1,
    peakRss: 60e6,
    use,
  };
  return { target: name, version: "", load: [sample], latency: [], idle: [], notes: [] };
}

function run(...targets: readonly TargetResult[]): RunResult {
  const scenario = {
    kind: "load" as const,
    name: "vary",
    title: "",
    exchange: "request" as const,
    bodyBytes: 65,
    targets,
  };
  return { startedAt: "", machine: "", layout: "", options: {}, missing: [], scenarios: [scenario] };
}

const budget: Budget = {
  scenario: "vary",
  metric: "cpuMicrosPerRequest",
  target: "sallyport",
  against: "haproxy",
  must: 1.25,
  aim: 1.05,
};

test("a ratio is judged against must and aim, both inclusive", () => {
  const kindAt = (micros: number): string | undefined => {
    return judge(run(target("sallyport", micros), target("haproxy", 20)), [budget])[0]?.kind;
  };
  assert.equal(kindAt(21), "aim met");
  assert.equal(kindAt(22), "met");
  assert.equal(kindAt(25), "met");
  assert.equal(kindAt(25.1), "not met");
});

test("a budget without an aim is met, never aimed at", () => {
  const { aim: _, ...without } = budget;
  assert.equal(judge(run(target("sallyport", 1), target("haproxy", 20)), [without])[0]?.kind, "met");
});

test("a missing peer leaves its budget unmeasured instead of met", () => {
  assert.equal(judge(run(target("sallyport", 1)), [budget])[0]?.kind, "not measured");
});

test("only budgets of scenarios that ran are judged", () => {
  assert.deepEqual(judge(run(), [{ ...budget, scenario: "fixed" }]), []);
});

test("every budget of the file names a scenario that there is", () => {
  const names = scenarios.map(({ name }) => name);
  const budgets = readBudgets();
  assert.ok(budgets.length >= 11);
  assert.deepEqual(
    budgets.filter(({ scenario }) => !names.includes(scenario)),
    [],
  );
});
