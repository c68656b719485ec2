/** What a metric family is. */
import type { MetricSource } from "./metric-source.ts";
import type { Sample } from "./samples.ts";

/** One family. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  /** One sentence without full stop. */
  readonly help: string;
  readonly read: (source: MetricSource) => Sample[];
}
