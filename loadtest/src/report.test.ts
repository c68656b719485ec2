import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, type Budget } from "./budgets.ts";
import { markdownReport, verdictLine } from "./report.ts";
import type { LoadSample, RunResult, TargetResult } from "./results.ts";

function sample(micros: number, changes: Partial<LoadSample> = {}): LoadSample {
  const use = { proxy: 0.99, backend: 0.5, client: 0.4, others: 0, stolen: 0 };
  const base = {
    requests: 1e6,
    seconds: 20,
    failures: 0,
    userShare: 0.25,
    rss: 50e6,
    rssAnon: 20e6,
    peakRss: 60e6,
    use,
  };
  return { ...base, cpuSeconds: micros, ...changes };
}

function target(name: string, load: readonly LoadSample[], notes: readonly string[] = []): TargetResult {
  const latency = [
    { rate: 3000, requests: 9000, failures: 0, p50Ms: 0.12, p99Ms: 0.4, maxMs: 3, generatorLateP99Ms: 0.2 },
  ];
  return { target: name, version: "1.2.3", load, latency: load.length > 0 ? latency : [], idle: [], notes };
}

function run(...targets: readonly TargetResult[]): RunResult {
  return {
    startedAt: "2026-01-01T00:00:00Z",
    machine: "2 x Test",
    layout: "proxy on 0, backend and client on 1",
    options: { rounds: 3 },
    missing: ["traefik: is not installed"],
    scenarios: [{ kind: "load", name: "vary", title: "Varying heads", exchange: "request", bodyBytes: 65, targets }],
  };
}

const budget: Budget = {
  scenario: "vary",
  metric: "cpuMicrosPerRequest",
  target: "sallyport",
  against: "haproxy",
  must: 1.25,
};

test("a row holds median and range, ratios to HAProxy and Envoy, latency at the fixed rate, memory and the limit", () => {
  const text = markdownReport(
    run(
      target("sallyport", [sample(22), sample(20), sample(21)]),
      target("haproxy", [sample(20)]),
      target("nginx", [sample(10)]),
      target("envoy", [sample(84)]),
    ),
    [],
  );
  assert.match(text, /p50 ms at 3000\/s/);
  const row = text.split("\n").find((line) => line.startsWith("| sallyport 1.2.3 |"));
  assert.equal(
    row,
    "| sallyport 1.2.3 | 21.0 (20.0-22.0) | 5.3 + 15.8 | 1.05 | 2.10 | 0.25 | 50000 | 0.12 (0.12-0.12) | 0.40 (0.40-0.40) " +
      "| 50.0 | 20.0 | proxy (proxy 99 %, backend 50 %, client 40 %) |",
  );
});

test("what makes figures doubtful is said: failures, noise, a target that did not run, a missing peer", () => {
  const noisy = sample(20, { use: { proxy: 0.5, backend: 0.2, client: 0.2, others: 0.6, stolen: 0.1 } });
  const text = markdownReport(
    run(
      target("sallyport", [], ["sallyport did not start: port in use"]),
      target("haproxy", [{ ...noisy, failures: 7 }]),
    ),
    [],
  );
  assert.match(text, /Missing: traefik: is not installed/);
  assert.match(text, /- sallyport did not start: port in use/);
  assert.match(text, /- Failed requests: haproxy 7\./);
  assert.match(text, /- Noisy, processors taken by other work: haproxy 0\.70\./);
});

test("a verdict names scenario, figure, value and limit", () => {
  const verdicts = judge(run(target("sallyport", [sample(26)]), target("haproxy", [sample(20)])), [budget]);
  assert.deepEqual(verdicts.map(verdictLine), [
    "NOT MET: vary: sallyport cpuMicrosPerRequest / haproxy 1.3 (must 1.25)",
  ]);
  assert.match(
    markdownReport(run(), verdicts),
    /\| vary \| cpuMicrosPerRequest \| sallyport \| haproxy \| 1\.3 \| 1\.25 \|  \| not met \|/,
  );
});

test("a variant of a peer is compared with the peer itself", () => {
  const text = markdownReport(
    run(target("sallyport", [sample(20)]), target("sallyport + access log", [sample(22)])),
    [],
  );
  assert.match(text, /x itself without/);
  assert.match(text, /\| sallyport \+ access log 1\.2\.3 \| 22\.0 \(22\.0-22\.0\) \|[^|]*\|  \|  \|  \| 1\.10 \|/);
});

test("the result of a flood is latency, beside that of the same proxy without it", () => {
  const results = ["nginx", "nginx + flood"].map((name, index) => {
    const latency = target(name, [sample(1)]).latency.map((quiet) => ({ ...quiet, p99Ms: 0.4 * (index + 1) }));
    return { ...target(name, []), latency };
  });
  const whole = run();
  const [scenario] = whole.scenarios;
  assert.ok(scenario !== undefined);
  const flood = { ...scenario, kind: "flood", name: "tls-flood", targets: results } as const;
  const text = markdownReport({ ...whole, scenarios: [flood] }, []);
  assert.match(text, /\| nginx 1\.2\.3 \| 0\.12 \([^|]*\| 0\.40 \([^|]*\|  \|/);
  assert.match(text, /\| nginx \+ flood 1\.2\.3 \| 0\.12 \([^|]*\| 0\.80 \([^|]*\| 2\.00 \|/);
});
