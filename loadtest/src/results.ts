// What a run finds out: the shape of loadtest/report/report.json, and the figures taken from its samples.
import type { Exchange } from "./closed-loop-contract.ts";
import { spreadOf, type Spread } from "./spread.ts";

/** One closed-loop run against one target. */
export interface LoadSample {
  readonly requests: number;
  readonly seconds: number;
  readonly failures: number;
  readonly cpuSeconds: number;
  /** Share of that in user mode, 0..1. */
  readonly userShare: number;
  readonly rss: number;
  readonly rssAnon: number;
  /** The largest resident set during the sample. */
  readonly peakRss: number;
  readonly use: ProcessorUse;
}

/** How busy each side was during a sample, in processors (1 = one full), to tell which of them was the limit. */
export interface ProcessorUse {
  readonly proxy: number;
  readonly backend: number;
  readonly client: number;
  /** Work that is not ours, and what the hypervisor took: noise. */
  readonly others: number;
  readonly stolen: number;
}

/** One open-loop run against one target; times in milliseconds. */
export interface LatencySample {
  readonly rate: number;
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly generatorLateP99Ms: number;
}

/** Memory of one fresh process; with idle connections also what each of them costs. */
export interface IdleSample {
  readonly rss: number;
  readonly rssAnon: number;
  readonly bytesPerConnection?: number;
  /** With open streams: what each of them costs, its share of the connections that carry it included. */
  readonly bytesPerStream?: number;
  /** Connections or streams that were still open when memory was read. */
  readonly openConnections: number;
}

/** Everything about one target of one scenario. */
export interface TargetResult {
  /** The peer's name, with its variant: `sallyport`, `sallyport + access log`. */
  readonly target: string;
  readonly version: string;
  readonly load: readonly LoadSample[];
  readonly latency: readonly LatencySample[];
  readonly idle: readonly IdleSample[];
  /** Why the target gave no figures, or in what its work differs. */
  readonly notes: readonly string[];
}

/** One scenario of a run. */
export interface ScenarioResult {
  readonly kind: "load" | "idle" | "streams" | "flood";
  readonly name: string;
  readonly title: string;
  /** What the samples call a request. */
  readonly exchange: Exchange;
  readonly bodyBytes: number;
  readonly targets: readonly TargetResult[];
}

/** A whole run. */
export interface RunResult {
  readonly startedAt: string;
  readonly machine: string;
  readonly layout: string;
  readonly options: Readonly<Record<string, string | number>>;
  /** Peers that could not run, with the reason. */
  readonly missing: readonly string[];
  readonly scenarios: readonly ScenarioResult[];
}

/** Names of the figures that budgets may be set on. */
export type Metric =
  | "cpuMicrosPerRequest"
  | "cpuSecondsPerGib"
  | "datagramsPerCpuSecond"
  | "requestsPerSecond"
  | "p50Ms"
  | "p99Ms"
  | "rssBytes"
  | "rssAnonBytes"
  | "peakRssBytes"
  | "bytesPerConnection"
  | "bytesPerStream";

const gibibyte = 2 ** 30;

/** The figure of one target; undefined when it was not measured. */
export function figure(result: TargetResult, metric: Metric, bodyBytes: number): Spread | undefined {
  const { load, latency, idle } = result;
  switch (metric) {
    case "cpuMicrosPerRequest":
      return spreadOf(load.map((sample) => (sample.cpuSeconds * 1e6) / sample.requests));
    case "cpuSecondsPerGib":
      return spreadOf(load.map((sample) => (sample.cpuSeconds * gibibyte) / (sample.requests * bodyBytes)));
    case "datagramsPerCpuSecond":
      // Each goes there and back.
      return spreadOf(load.map((sample) => (2 * sample.requests) / sample.cpuSeconds));
    case "requestsPerSecond":
      return spreadOf(load.map((sample) => sample.requests / sample.seconds));
    case "p50Ms":
      return spreadOf(latency.map((sample) => sample.p50Ms));
    case "p99Ms":
      return spreadOf(latency.map((sample) => sample.p99Ms));
    case "rssBytes":
      return spreadOf([...load, ...idle].map((sample) => sample.rss));
    case "rssAnonBytes":
      return spreadOf([...load, ...idle].map((sample) => sample.rssAnon));
    case "peakRssBytes":
      return spreadOf(load.map((sample) => sample.peakRss));
    case "bytesPerStream":
      return spreadOf(idle.flatMap((sample) => sample.bytesPerStream ?? []));
    case "bytesPerConnection":
      return spreadOf(idle.flatMap((sample) => sample.bytesPerConnection ?? []));
    default:
      return undefined;
  }
}

/** Ratio of the medians of two targets in one scenario; undefined when one of them was not measured. */
export function ratio(
  scenario: ScenarioResult,
  metric: Metric,
  targets: readonly [string, string],
): number | undefined {
  const [of, to] = targets.map((name) => scenario.targets.find(({ target }) => target === name));
  if (of === undefined || to === undefined) return undefined;
  const above = figure(of, metric, scenario.bodyBytes);
  const below = figure(to, metric, scenario.bodyBytes);
  if (above === undefined || below === undefined || below.median === 0) return undefined;
  return above.median / below.median;
}

/** Which side was full in the median sample, in words. */
export function bottleneck(samples: readonly LoadSample[], sharedProcessor: "client and backend" | "none"): string {
  const use = (side: keyof ProcessorUse): number => spreadOf(samples.map((sample) => sample.use[side]))?.median ?? 0;
  const full = 0.92;
  if (use("proxy") >= full) return "proxy";
  if (use("backend") >= full) return "backend";
  if (use("client") >= full) return "client";
  if (sharedProcessor === "client and backend" && use("client") + use("backend") >= full) return "client + backend";
  if (use("others") + use("stolen") >= 0.1) return "other work on the machine";
  return "none: each side waited for another";
}
