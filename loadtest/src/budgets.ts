// The budgets Sallyport has to keep (budgets.json), and the verdict of a run on each. Ratios are to a target of the same
// run, so that they hold on any machine; bytes are absolute, in units of 10^3 and 10^6.
import { readFileSync } from "node:fs";
import { fieldsOf } from "./fields.ts";
import { figure, ratio, type Metric, type RunResult, type ScenarioResult } from "./results.ts";

/** The most a figure may be. */
export interface Budget {
  readonly scenario: string;
  readonly metric: Metric;
  readonly target: string;
  /** The target it is divided by; absent for an absolute figure. */
  readonly against?: string;
  /** Above this the budget is not met. */
  readonly must: number;
  /** What is being worked towards. */
  readonly aim?: number;
}

/** How a run did on one budget. */
export type Verdict =
  | { readonly kind: "aim met" | "met" | "not met"; readonly budget: Budget; readonly value: number }
  | { readonly kind: "not measured"; readonly budget: Budget };

const metrics = {
  cpuMicrosPerRequest: true,
  cpuSecondsPerGib: true,
  datagramsPerCpuSecond: true,
  requestsPerSecond: true,
  p50Ms: true,
  p99Ms: true,
  rssBytes: true,
  rssAnonBytes: true,
  peakRssBytes: true,
  bytesPerConnection: true,
  bytesPerStream: true,
} satisfies Record<Metric, true>;

/** Reads budgets.json; throws when a row is not a budget. */
export function readBudgets(): readonly Budget[] {
  const rows: unknown = JSON.parse(readFileSync(new URL("../budgets.json", import.meta.url), "utf8"));
  if (!Array.isArray(rows)) throw new Error("budgets.json is not a list");
  return rows.map(decodeBudget);
}

/** The verdicts on all budgets of the scenarios that ran. */
export function judge(run: RunResult, budgets: readonly Budget[]): readonly Verdict[] {
  return run.scenarios.flatMap((scenario) => {
    return budgets.filter((budget) => budget.scenario === scenario.name).map((budget) => verdictOn(budget, scenario));
  });
}

function verdictOn(budget: Budget, scenario: ScenarioResult): Verdict {
  const value = measured(budget, scenario);
  if (value === undefined || Number.isNaN(value)) return { kind: "not measured", budget };
  if (value > budget.must) return { kind: "not met", budget, value };
  return { kind: budget.aim !== undefined && value <= budget.aim ? "aim met" : "met", budget, value };
}

function measured({ metric, target, against }: Budget, scenario: ScenarioResult): number | undefined {
  if (against !== undefined) return ratio(scenario, metric, [target, against]);
  const result = scenario.targets.find((candidate) => candidate.target === target);
  return result === undefined ? undefined : figure(result, metric, scenario.bodyBytes)?.median;
}

function decodeBudget(row: unknown): Budget {
  const fields = fieldsOf(row, "a row of budgets.json");
  const metric = fields.text("metric");
  if (!isMetric(metric)) throw new Error(`budgets.json: no metric ${metric}`);
  return {
    scenario: fields.text("scenario"),
    metric,
    target: fields.text("target"),
    must: fields.number("must"),
    ...(fields.has("against") ? { against: fields.text("against") } : {}),
    ...(fields.has("aim") ? { aim: fields.number("aim") } : {}),
  };
}

function isMetric(text: string): text is Metric {
  return Object.hasOwn(metrics, text);
}
