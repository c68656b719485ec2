// Writes the outcome of a run as Markdown, one table a scenario, with every figure as a ratio to HAProxy and Envoy.
import type { Verdict } from "./budgets.ts";
import {
  bottleneck,
  figure,
  ratio,
  type LoadSample,
  type Metric,
  type RunResult,
  type ScenarioResult,
  type TargetResult,
} from "./results.ts";
import { spreadOf, type Spread } from "./spread.ts";

// Above these a figure is not to be trusted, and the report says so.
const noiseLimit = 0.1;
const lateLimitMs = 1;

/** The whole report. */
export function markdownReport(run: RunResult, verdicts: readonly Verdict[]): string {
  return [
    "# Load test",
    "",
    `${run.startedAt}; ${run.machine}; ${run.layout}.`,
    `Options: ${Object.entries(run.options)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}.`,
    "Figures are medians, in brackets minimum and maximum. Memory in MB of 10^6 bytes.",
    ...run.missing.map((line) => `Missing: ${line}`),
    "",
    ...budgetTable(verdicts),
    ...run.scenarios.flatMap((scenario) => scenarioSection(scenario, run.layout)),
  ].join("\n");
}

/** One line a budget, for the table and for the terminal. */
export function verdictLine(verdict: Verdict): string {
  const { scenario, metric, target, against, must, aim } = verdict.budget;
  const subject = `${scenario}: ${target} ${metric}${against === undefined ? "" : ` / ${against}`}`;
  const limit = `must ${shown(must)}${aim === undefined ? "" : `, aim ${shown(aim)}`}`;
  const value = verdict.kind === "not measured" ? "" : ` ${shown(verdict.value)}`;
  return `${verdict.kind.toUpperCase()}: ${subject}${value} (${limit})`;
}

function budgetTable(verdicts: readonly Verdict[]): readonly string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map((verdict) => {
    const { scenario, metric, target, against, must, aim } = verdict.budget;
    const value = verdict.kind === "not measured" ? "" : shown(verdict.value);
    return row([
      scenario,
      metric,
      target,
      against ?? "",
      value,
      shown(must),
      aim === undefined ? "" : shown(aim),
      verdict.kind,
    ]);
  });
  return [
    "## Budgets",
    "",
    ...table(["scenario", "figure", "of", "against", "value", "must", "aim", "verdict"]),
    ...rows,
    "",
  ];
}

function scenarioSection(scenario: ScenarioResult, layout: string): readonly string[] {
  const notes = new Set([...scenario.targets.flatMap((target) => target.notes), ...warnings(scenario.targets)]);
  return [
    `## ${scenario.name}`,
    "",
    `${scenario.title}.`,
    "",
    ...tableOf(scenario, layout),
    "",
    ...[...notes].map((note) => `- ${note.replaceAll("\n", " ")}`),
    "",
  ];
}

function tableOf(scenario: ScenarioResult, layout: string): readonly string[] {
  switch (scenario.kind) {
    case "load":
      return loadTable(scenario, layout);
    case "idle":
    case "streams":
      return idleTable(scenario);
    case "flood":
      return floodTable(scenario);
    default:
      return [];
  }
}

function loadTable(scenario: ScenarioResult, layout: string): readonly string[] {
  const perGib = scenario.bodyBytes >= 1024 * 1024;
  const metric: Metric = perGib ? "cpuSecondsPerGib" : "cpuMicrosPerRequest";
  const { exchange } = scenario;
  // Targets named "PEER + VARIANT" are compared with PEER.
  // Where answers are large, what matters is how much of them a proxy holds.
  const large = scenario.bodyBytes >= 2 ** 27;
  const variants = scenario.targets.some(({ target }) => target.includes(" + "));
  const rate = scenario.targets.flatMap(({ latency }) => latency)[0]?.rate;
  const of = (target: TargetResult, name: Metric): Spread | undefined => figure(target, name, scenario.bodyBytes);
  const rows = scenario.targets.map((target) =>
    row([
      `${target.target} ${target.version}`,
      withRange(of(target, metric), perGib ? 3 : 1),
      userAndSystem(target.load),
      times(ratio(scenario, metric, [target.target, "haproxy"])),
      times(ratio(scenario, metric, [target.target, "nginx"])),
      times(ratio(scenario, metric, [target.target, "envoy"])),
      ...(variants ? [timesItself(scenario, metric, target.target)] : []),
      fixed(of(target, "requestsPerSecond")?.median, 0),
      ...(exchange === "datagram" ? [fixed(of(target, "datagramsPerCpuSecond")?.median, 0)] : []),
      withRange(of(target, "p50Ms"), 2),
      withRange(of(target, "p99Ms"), 2),
      fixed(megabytes(of(target, "rssBytes")), 1),
      fixed(megabytes(of(target, "rssAnonBytes")), 1),
      ...(large ? [withRange(inMegabytes(of(target, "peakRssBytes")), 1)] : []),
      limit(target.load, layout),
    ]),
  );
  const cpu = perGib ? "CPU s per GiB" : `CPU us per ${exchange}`;
  const latency = rate === undefined ? ["p50 ms", "p99 ms"] : [`p50 ms at ${rate}/s`, "p99 ms"];
  const memory = ["RSS MB", "private MB", ...(large ? ["peak RSS MB"] : [])];
  return [
    ...table([
      "target",
      cpu,
      "us user + system",
      "x HAProxy",
      "x nginx",
      "x Envoy",
      ...(variants ? ["x itself without"] : []),
      `${exchange}s/s`,
      ...(exchange === "datagram" ? ["datagrams per CPU second, both ways"] : []),
      ...latency,
      ...memory,
      "limit",
    ]),
    ...rows,
  ];
}

function timesItself(scenario: ScenarioResult, metric: Metric, target: string): string {
  const [itself = target, variant] = target.split(" + ");
  return variant === undefined ? "" : times(ratio(scenario, metric, [target, itself]));
}

function floodTable(scenario: ScenarioResult): readonly string[] {
  const rate = scenario.targets.flatMap(({ latency }) => latency)[0]?.rate ?? 0;
  const rows = scenario.targets.map((target) =>
    row([
      `${target.target} ${target.version}`,
      withRange(figure(target, "p50Ms", 0), 2),
      withRange(figure(target, "p99Ms", 0), 2),
      timesItself(scenario, "p99Ms", target.target),
    ]),
  );
  return [...table(["target", `p50 ms at ${rate}/s`, "p99 ms", "p99 x itself without"]), ...rows];
}

function idleTable(scenario: ScenarioResult): readonly string[] {
  const unit: Metric = scenario.kind === "streams" ? "bytesPerStream" : "bytesPerConnection";
  const of = (target: TargetResult, name: Metric): Spread | undefined => figure(target, name, scenario.bodyBytes);
  const rows = scenario.targets.map((target) => {
    const perConnection = of(target, unit);
    return row([
      `${target.target} ${target.version}`,
      fixed(megabytes(of(target, "rssBytes")), 1),
      fixed(megabytes(of(target, "rssAnonBytes")), 1),
      times(ratio(scenario, "rssAnonBytes", [target.target, "haproxy"])),
      times(ratio(scenario, "rssAnonBytes", [target.target, "envoy"])),
      withRange(perConnection, 0),
      times(ratio(scenario, unit, [target.target, "nginx"])),
    ]);
  });
  const header = [
    "target",
    "RSS MB",
    "private MB",
    "private x HAProxy",
    "private x Envoy",
    scenario.kind === "streams" ? "bytes per open stream" : "bytes per connection",
    "x nginx",
  ];
  return [...table(header), ...rows];
}

// What makes figures doubtful is said under the table they are in, one line for all targets it befell.
function warnings(targets: readonly TargetResult[]): readonly string[] {
  const about = (text: string, value: (target: TargetResult) => string | undefined): readonly string[] => {
    const told = targets.flatMap((target) => {
      const said = value(target);
      return said === undefined ? [] : [`${target.target} ${said}`];
    });
    return told.length === 0 ? [] : [`${text}: ${told.join(", ")}.`];
  };
  return [
    ...about("Failed requests", ({ load, latency }) => {
      const failures = [...load, ...latency].reduce((sum, sample) => sum + sample.failures, 0);
      return failures > 0 ? String(failures) : undefined;
    }),
    ...about("Noisy, processors taken by other work", ({ load }) => {
      const noise = spreadOf(load.map(({ use }) => use.others + use.stolen))?.median ?? 0;
      return noise > noiseLimit ? noise.toFixed(2) : undefined;
    }),
    ...about("Latency doubtful, ms that the generator itself was late at p99", ({ latency }) => {
      const late = spreadOf(latency.map((sample) => sample.generatorLateP99Ms))?.median ?? 0;
      return late > lateLimitMs ? late.toFixed(2) : undefined;
    }),
  ];
}

function userAndSystem(load: readonly LoadSample[]): string {
  const perRequest = (share: (sample: LoadSample) => number): number | undefined => {
    return spreadOf(load.map((sample) => (sample.cpuSeconds * share(sample) * 1e6) / sample.requests))?.median;
  };
  return `${fixed(
    perRequest(({ userShare }) => userShare),
    1,
  )} + ${fixed(
    perRequest(({ userShare }) => 1 - userShare),
    1,
  )}`;
}

function limit(load: readonly LoadSample[], layout: string): string {
  if (load.length === 0) return "";
  const use = (side: "proxy" | "backend" | "client"): string => {
    return fixed((spreadOf(load.map((sample) => sample.use[side]))?.median ?? 0) * 100, 0);
  };
  const shared = layout.includes("backend and client") ? "client and backend" : "none";
  return `${bottleneck(load, shared)} (proxy ${use("proxy")} %, backend ${use("backend")} %, client ${use("client")} %)`;
}

function table(header: readonly string[]): readonly string[] {
  return [row(header), row(header.map(() => "---"))];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function withRange(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return "";
  return `${fixed(spread.median, digits)} (${fixed(spread.min, digits)}-${fixed(spread.max, digits)})`;
}

function times(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(2);
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? "" : value.toFixed(digits);
}

function inMegabytes(spread: Spread | undefined): Spread | undefined {
  if (spread === undefined) return undefined;
  return { ...spread, median: spread.median / 1e6, min: spread.min / 1e6, max: spread.max / 1e6 };
}

function megabytes(spread: Spread | undefined): number | undefined {
  return spread === undefined ? undefined : spread.median / 1e6;
}

function shown(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)}e6` : String(Number(value.toFixed(value < 10 ? 3 : 0)));
}
