/**
 * The metrics in Prometheus' text format, written by prom-client from the families. The library is loaded with the first
 * scrape: a proxy nobody scrapes does not carry it.
 */
import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { METRIC_FAMILIES } from "./families.ts";
import type { MetricFamily } from "./metric-family.ts";
import type { MetricSource } from "./metric-source.ts";
import type { Sample } from "./samples.ts";

/** A scrape's answer. */
export interface Exposition {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Loads the library and registers every family. */
export async function openExposition(source: MetricSource): Promise<Exposition> {
  const prom = await loadPromClient();
  const registry = new prom.Registry();
  for (const family of METRIC_FAMILIES) register(prom, registry, family, source);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

interface PromClient {
  readonly Registry: typeof Registry;
  readonly Counter: typeof Counter;
  readonly Gauge: typeof Gauge;
  readonly Histogram: typeof Histogram;
}

/** See prom-client.d.ts for why not by its index. */
async function loadPromClient(): Promise<PromClient> {
  const [registry, counter, gauge, histogram] = await Promise.all([
    import("prom-client/lib/registry.js"),
    import("prom-client/lib/counter.js"),
    import("prom-client/lib/gauge.js"),
    import("prom-client/lib/histogram.js"),
  ]);
  return { Registry: registry.default, Counter: counter.default, Gauge: gauge.default, Histogram: histogram.default };
}

function register(prom: PromClient, registry: Registry, family: MetricFamily, source: MetricSource): void {
  const { name, help } = family;
  const options = { name, help, labelNames: [...family.labels], registers: [registry] };
  switch (family.type) {
    case "counter":
      return void new prom.Counter({
        ...options,
        collect() {
          this.reset();
          for (const { labels, value } of family.read(source)) this.inc({ ...labels }, value);
        },
      });
    case "gauge":
      return void new prom.Gauge({
        ...options,
        collect() {
          this.reset();
          for (const { labels, value } of family.read(source)) this.set({ ...labels }, value);
        },
      });
    case "histogram":
      return registerHistogram(new prom.Histogram(options), new prom.Histogram({ ...options, registers: [] }), () =>
        family.read(source),
      );
  }
}

/** A histogram cannot be set to counts made elsewhere, so what it exports is replaced; `blank` describes its name and type. */
function registerHistogram(histogram: Histogram, blank: Histogram, read: () => Sample[]): void {
  const get = async (): ReturnType<typeof blank.get> => {
    const shape = await blank.get();
    const values = read().map(({ suffix = "", labels, value }) => {
      return { metricName: `${shape.name}${suffix}`, labels: { ...labels }, value };
    });
    return { ...shape, values };
  };
  // The registry prefers the second name where there is one.
  Object.assign(histogram, { get, getForPromString: get });
}
