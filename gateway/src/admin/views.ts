/** What GET requests of the admin API show. Workers' shares are added up; key material is redacted. */
import { toBindKey } from "@sallyport/model/listener";
import { redactResource, resourcesOf, type Snapshot } from "@sallyport/model/snapshot";
import type { ClusterSummary, EndpointSummary } from "../cluster/contract.ts";
import { METRIC_FAMILIES } from "../observe/families.ts";
import type { MetricSource } from "../observe/metric-source.ts";
import type { WorkerView } from "./source.ts";

/** The configuration in force and how far each worker is. */
export function toConfigDump(snapshot: Snapshot, metrics: MetricSource, workers: readonly WorkerView[]): unknown {
  const { epoch, appliedAt, applies, rejects } = metrics.facts();
  return {
    epoch,
    appliedAt: appliedAt === 0 ? null : new Date(appliedAt).toISOString(),
    applies,
    rejects,
    workers: workers.map(({ worker, state, engine }) => ({ worker, state, epoch: engine?.epoch ?? null })),
    resources: [...snapshot.resources.values()].map(redactResource),
  };
}

/** Every cluster with its endpoints. */
export function toClusters(workers: readonly WorkerView[]): unknown {
  const clusters = new Map<string, ClusterSummary[]>();
  for (const { engine } of workers) {
    for (const cluster of engine?.clusters ?? []) {
      const found = clusters.get(cluster.key) ?? [];
      found.push(cluster);
      clusters.set(cluster.key, found);
    }
  }
  return [...clusters].map(([key, shares]) => ({
    key,
    balancer: shares[0]?.balancer,
    connections: sum(shares, (share) => share.connections),
    connectionLimitPerWorker: shares[0]?.connectionLimit,
    pending: sum(shares, (share) => share.pending),
    pendingLimitPerWorker: shares[0]?.pendingLimit,
    endpoints: toEndpoints(shares.flatMap((share) => share.endpoints)),
  }));
}

/** Every bound port with the listeners on it. */
export function toListeners(snapshot: Snapshot, workers: readonly WorkerView[]): unknown {
  const configured = Map.groupBy(resourcesOf(snapshot, "listener"), (listener) => toBindKey(listener));
  const states = Map.groupBy(
    workers.flatMap(({ engine }) => engine?.listeners ?? []),
    (state) => `${state.bind} ${state.draining}`,
  );
  return [...states.values()].map((shares) => {
    const bind = shares[0]?.bind ?? "";
    const draining = shares[0]?.draining ?? false;
    return {
      bind,
      port: shares[0]?.port,
      draining,
      connections: sum(shares, (share) => share.connections),
      listeners: draining ? [] : (configured.get(bind) ?? []).map(toListener),
    };
  });
}

/** Every metric as `name{labels}: value`, one a line. */
export function toStats(metrics: MetricSource): string {
  let text = "";
  for (const family of METRIC_FAMILIES) {
    for (const { labels, value, suffix = "" } of family.read(metrics)) {
      const shown = Object.entries(labels).map(([name, text]) => `${name}=${JSON.stringify(String(text))}`);
      text += `${family.name}${suffix}${shown.length === 0 ? "" : `{${shown.join(",")}}`}: ${value}\n`;
    }
  }
  return text;
}

function toEndpoints(shares: readonly EndpointSummary[]): unknown {
  return [...Map.groupBy(shares, (share) => share.label)].map(([address, found]) => ({
    address,
    weight: found[0]?.weight,
    state: found[0]?.state,
    // Counted over all workers already, where the table of counts has room.
    active: Math.max(...found.map((share) => share.active)),
    connections: sum(found, (share) => share.connections),
    idle: sum(found, (share) => share.idle),
  }));
}

function toListener(listener: ReturnType<typeof resourcesOf<"listener">>[number]): unknown {
  const { key, port, protocol, hostname } = listener;
  return { key, port, protocol, hostname: hostname ?? "*" };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
