/** What GET requests of the admin API show. Workers' shares are added up; key material is redacted. */
import { type Listener, toBindKey } from "@sallyport/model/listener";
import { redactResource, type Resource, resourcesOf, type Snapshot } from "@sallyport/model/snapshot";
import type { ClusterSummary, EndpointSummary } from "../cluster/summary/contract.ts";
import { METRIC_FAMILIES } from "../observe/families.ts";
import type { MetricSource, RemoteFacts } from "../observe/metric-source.ts";
import { toCertificateFacts } from "./certificate-facts.ts";
import type { WorkerView } from "./source.ts";

/** The configuration in force and how far each worker is. */
export function toConfigDump(snapshot: Snapshot, metrics: MetricSource, workers: readonly WorkerView[]): unknown {
  const { epoch, appliedAt, applies, rejects, remote } = metrics.facts();
  return {
    epoch,
    appliedAt: toTime(appliedAt),
    applies,
    rejects,
    ...(remote !== undefined && { controller: toController(remote) }),
    workers: workers.map(({ worker, state, engine }) => ({ worker, state, epoch: engine?.epoch ?? null })),
    resources: [...snapshot.resources.values()].map(toShown),
  };
}

/** How far this proxy is with its controller. */
function toController(remote: RemoteFacts): unknown {
  const { lastChangeAt, certificateExpiresAt, zone, ...shown } = remote;
  return {
    ...shown,
    zone: zone ?? null,
    lastChangeAt: toTime(lastChangeAt),
    certificateExpiresAt: toTime(certificateExpiresAt),
  };
}

function toTime(milliseconds: number): string | null {
  return milliseconds === 0 ? null : new Date(milliseconds).toISOString();
}

/** A resource without private keys; where it holds certificates, with what they say. */
function toShown(resource: Resource): unknown {
  const shown = redactResource(resource);
  if (shown.kind === "secret") return { ...shown, holds: toCertificateFacts(shown.certificateChain) };
  return shown.kind === "authorities" ? { ...shown, holds: toCertificateFacts(shown.certificates) } : shown;
}

/** Every cluster with its endpoints. */
export function toClusters(snapshot: Snapshot, workers: readonly WorkerView[]): unknown {
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
    protocol: shares[0]?.protocol,
    tls: toTls(snapshot, key),
    balancer: shares[0]?.balancer,
    connections: sum(shares, (share) => share.connections),
    pending: sum(shares, (share) => share.pending),
    limits: toLimits(shares[0]),
    endpoints: toEndpoints(shares.flatMap((share) => share.endpoints)),
  }));
}

/** Limits with what counts against them, over all workers, answering or not. */
function toLimits(share: ClusterSummary | undefined): unknown {
  if (share === undefined) return null;
  const { connectionsPerEndpoint, ...limits } = share.limits;
  const shown = Object.entries(limits).map(([name, { most, now, isReached }]) => [
    name,
    // requests are counted only where they are limited
    { limit: most ?? null, now: name === "requests" && most === undefined ? null : now, reached: isReached },
  ]);
  return { ...Object.fromEntries(shown), connectionsPerEndpoint: { limit: connectionsPerEndpoint ?? null } };
}

/** Every bound port with the listeners on it. */
export function toListeners(snapshot: Snapshot, workers: readonly WorkerView[]): unknown {
  const configured = Map.groupBy(resourcesOf(snapshot, "listener"), (listener) => toBindKey(listener));
  const routes = countRoutes(snapshot);
  const states = Map.groupBy(
    workers.flatMap(({ engine }) => engine?.listeners ?? []),
    (state) => `${state.bind} ${state.draining}`,
  );
  return [...states.values()].map((shares) => {
    const bind = shares[0]?.bind ?? "";
    const draining = shares[0]?.draining ?? false;
    const listeners = draining ? [] : (configured.get(bind) ?? []);
    return {
      bind,
      port: shares[0]?.port,
      transport: toTransport(listeners[0]),
      chains: countChains(listeners, routes),
      draining,
      connections: sum(shares, (share) => share.connections),
      listeners: listeners.map((listener) => toListener(listener, routes.get(listener.key) ?? 0)),
    };
  });
}

/** How many routes hang on each listener. */
function countRoutes(snapshot: Snapshot): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { attachments } of [...resourcesOf(snapshot, "http-route"), ...resourcesOf(snapshot, "stream-route")]) {
    for (const listener of new Set(attachments.map((attachment) => attachment.listener)))
      counts.set(listener, (counts.get(listener) ?? 0) + 1);
  }
  return counts;
}

/** What the port speaks first; null where nothing is configured on it any more. */
function toTransport(listener: Listener | undefined): string | null {
  if (listener === undefined) return null;
  return listener.protocol === "https" || listener.protocol === "tls-passthrough" ? "tls" : listener.protocol;
}

/** Ways a connection may go by its server name: an HTTPS listener is one, others have one for each of their routes. */
function countChains(listeners: readonly Listener[], routes: ReadonlyMap<string, number>): number {
  if (toTransport(listeners[0]) !== "tls") return 0;
  return sum(listeners, ({ key, protocol }) => (protocol === "https" ? 1 : (routes.get(key) ?? 0)));
}

/** Null where endpoints are spoken to in the clear. */
function toTls(snapshot: Snapshot, key: string): unknown {
  const cluster = snapshot.resources.get(`cluster|${key}`);
  if (cluster?.kind !== "cluster" || cluster.tls === undefined) return null;
  const { serverName, trust, clientCertificate } = cluster.tls;
  return { serverName, trust, clientCertificate: clientCertificate ?? null };
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
    ...(found[0]?.warmWeight !== undefined && { warmWeight: found[0].warmWeight }),
    state: found[0]?.state,
    // what one worker knows, all know within a moment
    health: found[0]?.health,
    ejectedForMs: found[0]?.ejectedFor ?? null,
    // Counted over all workers already, where the table of counts has room.
    active: Math.max(...found.map((share) => share.active)),
    connections: sum(found, (share) => share.connections),
    idle: sum(found, (share) => share.idle),
    draining: sum(found, (share) => share.draining),
    streams: sum(found, (share) => share.streams),
  }));
}

function toListener(listener: Listener, routes: number): unknown {
  const { key, port, protocol, hostname, tls } = listener;
  const shown = { key, port, protocol, hostname: hostname ?? "*", routes };
  if (tls === undefined) return shown;
  return { ...shown, certificates: tls.certificates, clientValidation: tls.clientValidation ?? null };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
