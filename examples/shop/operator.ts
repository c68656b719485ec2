/** What the gateway tells its operator, as far as examples look at it: /clusters and /metrics. */
import { ask } from "./client.ts";

/** An endpoint of /clusters. */
export interface EndpointView {
  /** With its port. */
  readonly address: string;
  readonly health: string;
  readonly weight: number;
  readonly warmWeight: number | undefined;
  readonly state: string;
}

/** A cluster of /clusters. */
export interface ClusterView {
  readonly key: string;
  readonly balancer: string;
  readonly pending: number;
  /** What counts against each limit, of those that count. */
  readonly used: Readonly<Record<string, number>>;
  readonly endpoints: readonly EndpointView[];
}

/** Reads /clusters of the admin interface. */
export async function readClusters(adminPort: number): Promise<readonly ClusterView[]> {
  const { text } = await ask(adminPort, "/clusters", { headers: { host: `127.0.0.1:${adminPort}` } });
  const clusters: unknown = JSON.parse(text);
  return toList(clusters).map((cluster) => ({
    key: String(cluster["key"]),
    balancer: String(cluster["balancer"]),
    pending: Number(cluster["pending"]),
    used: toUsed(cluster["limits"]),
    endpoints: toList(cluster["endpoints"]).map((endpoint) => ({
      address: String(endpoint["address"]),
      health: String(endpoint["health"]),
      weight: Number(endpoint["weight"]),
      warmWeight: typeof endpoint["warmWeight"] === "number" ? endpoint["warmWeight"] : undefined,
      state: String(endpoint["state"]),
    })),
  }));
}

/** Sum of the series of a metric whose labels contain all of these, as `outcome="success"`; 0 where there is none. */
export async function readMetric(metricsPort: number, name: string, labels: readonly string[] = []): Promise<number> {
  const { text } = await ask(metricsPort, "/metrics");
  let sum = 0;
  for (const line of text.split("\n")) {
    const [, series, shown = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (series === name && labels.every((label) => shown.includes(label))) sum += Number(value);
  }
  return sum;
}

/** Objects in a list of JSON; what is none is left out. */
export function toList(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toUsed(limits: unknown): Record<string, number> {
  const used: Record<string, number> = {};
  for (const [name, limit] of Object.entries(isRecord(limits) ? limits : {}))
    if (isRecord(limit) && typeof limit["now"] === "number") used[name] = limit["now"];
  return used;
}
