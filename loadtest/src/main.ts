// `npm run loadtest`: measures Sallyport and its peers on the same work and writes loadtest/report/.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { Bench } from "./bench.ts";
import { judge, readBudgets } from "./budgets.ts";
import { raiseFileLimit } from "./file-limit.ts";
import { runFloodScenario } from "./flood.ts";
import { runStreamsScenario } from "./http2/streams.ts";
import { runIdleScenario } from "./idle.ts";
import { allowedProcessors, layoutFor, type Layout } from "./layout.ts";
import { parseOptions, usage, type Options } from "./options.ts";
import { allPeers } from "./peers/all.ts";
import type { Peer } from "./peers/peer.ts";
import { markdownReport, verdictLine } from "./report.ts";
import type { RunResult, ScenarioResult } from "./results.ts";
import { runLoadScenario, type RunContext } from "./rounds.ts";
import { scenarios } from "./scenarios.ts";
import type { Scenario } from "./scenario.ts";
import { stopOnSignal } from "./signals.ts";
import { repository } from "./tools.ts";

const startedMs = performance.now();

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === "number") return options;
  const { peers, missing } = choosePeers(options);
  for (const line of missing) progress(`missing: ${line}`);
  const layout = layoutFor(allowedProcessors(), options.pinning);
  progress(layout.name);
  if (layout.client !== undefined) spawnSync("taskset", ["-pc", layout.client, String(process.pid)]);
  const bench = new Bench(layout);
  stopOnSignal("loadtest", bench);
  raiseFileLimit();
  try {
    const results = await runScenarios({ bench, options, peers, progress });
    return finish(options, { ...describeRun(options, layout), missing, scenarios: results });
  } catch (error) {
    console.error(`loadtest: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await bench.close();
  }
}

function readOptions(argv: readonly string[]): Options | number {
  try {
    const options = parseOptions(argv);
    if (options !== "help") return options;
    console.log(usage);
    return 0;
  } catch (error) {
    console.error(`loadtest: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
}

function choosePeers(options: Options): { peers: readonly Peer[]; missing: readonly string[] } {
  const all = allPeers(options.form);
  const wanted = options.peers.length === 0 ? all : all.filter(({ name }) => options.peers.includes(name));
  const missing: string[] = [];
  const peers = wanted.filter((peer) => {
    const availability = peer.availability();
    if (availability.kind === "missing") missing.push(`${peer.name}: ${availability.reason}`);
    return availability.kind === "available";
  });
  return { peers: [...peers, ...options.custom], missing };
}

async function runScenarios(context: RunContext): Promise<readonly ScenarioResult[]> {
  const chosen = scenarios.filter(({ name }) => context.options.scenarios.includes(name));
  const results: ScenarioResult[] = [];
  for (const scenario of chosen) results.push(await runScenario(context, scenario));
  return results;
}

async function runScenario(context: RunContext, scenario: Scenario): Promise<ScenarioResult> {
  const { kind, name, title } = scenario;
  context.progress(`${name}: ${title}`);
  const head = { kind, name, title, exchange: "request", bodyBytes: 0 } as const;
  switch (scenario.kind) {
    case "idle":
      return { ...head, targets: await runIdleScenario(context, scenario) };
    case "streams":
      return { ...head, targets: await runStreamsScenario(context, scenario) };
    case "flood":
      return { ...head, targets: await runFloodScenario(context, scenario) };
    case "load":
      return {
        ...head,
        exchange: scenario.exchange,
        bodyBytes: scenario.bodyBytes,
        targets: await runLoadScenario(context, scenario),
      };
  }
}

function finish(options: Options, run: RunResult): number {
  const verdicts = judge(run, readBudgets());
  const folder = join(repository, "loadtest/report");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "report.md"), markdownReport(run, verdicts));
  writeFileSync(join(folder, "report.json"), JSON.stringify({ ...run, verdicts }, null, 2));
  for (const verdict of verdicts) console.log(verdictLine(verdict));
  progress(`report: ${join(folder, "report.md")}`);
  const failed = verdicts.some(({ kind }) => kind === "not met" || kind === "not measured");
  return options.check === "on" && failed ? 1 : 0;
}

function describeRun(
  options: Options,
  layout: Layout,
): Pick<RunResult, "startedAt" | "machine" | "layout" | "options"> {
  const { rounds, seconds, latencyRounds, latencySeconds, form } = options;
  return {
    startedAt: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, Linux ${release()}, Node.js ${process.version}`,
    layout: layout.name,
    options: { rounds, seconds, latencyRounds, latencySeconds, sallyport: form },
  };
}

function progress(line: string): void {
  console.log(`loadtest ${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}`);
}
