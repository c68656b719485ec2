/** Clusters of a runtime: those that are there stay, with their connections, whatever changes in their configuration. */
import type { Cluster } from "@sallyport/model/cluster";
import type { EndpointSet } from "@sallyport/model/endpoint";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { ClusterTable, ManagedCluster, UpstreamTlsSettings } from "../cluster/contract.ts";
import { type Changes, getResource } from "./changes.ts";
import { copyMap } from "./copy-map.ts";
import { compileUpstreamTls, namesAny } from "./upstream-tls.ts";

/** A cluster and what it is to be configured with once its runtime is active. */
export interface ClusterEntry {
  readonly config: Cluster;
  readonly endpoints: EndpointSet | undefined;
  readonly tls: UpstreamTlsSettings | undefined;
  /** Undefined where it cannot be served; `invalid` says why. */
  readonly cluster: ManagedCluster | undefined;
  readonly invalid: string;
}

/** By cluster key. */
export type ClusterEntries = ReadonlyMap<string, ClusterEntry>;

/** What became of the clusters. */
export interface ClusterOutcome {
  readonly entries: ClusterEntries;
  /** Those whose configuration or endpoints changed while the cluster stayed. */
  readonly updated: readonly ClusterEntry[];
  /** Keys for which routes must look up their cluster anew. */
  readonly replaced: ReadonlySet<string>;
}

/** Clusters looked at between two yields: making one costs a few microseconds, looking whom it names far less. */
const SLICE = 16;
const LOOK_SLICE = 1024;

/** Brings the clusters up to the snapshot. Those that are new are made at once, so that their names begin to resolve. */
export function* compileClusters(
  before: ClusterEntries,
  snapshot: Snapshot,
  { changes, table }: { readonly changes: Changes; readonly table: ClusterTable },
): Generator<void, ClusterOutcome, void> {
  const keys = yield* findStale(before, changes);
  const updated: ClusterEntry[] = [];
  const replaced = new Set<string>();
  if (keys.size === 0) return { entries: before, updated, replaced };
  const entries = yield* copyMap(before);
  let looked = 0;
  for (const key of keys) {
    const old = before.get(key);
    const config = getResource(snapshot, "cluster", key);
    const entry = config === undefined ? undefined : toEntry(old, config, { snapshot, table });
    if (entry === undefined) entries.delete(key);
    else entries.set(key, entry);
    if (!isSameToRoutes(old, entry)) replaced.add(key);
    else if (entry !== undefined) updated.push(entry);
    if (++looked % SLICE === 0) yield;
  }
  return { entries, updated, replaced };
}

/** Those that changed, and those that name a secret or authorities that did. */
function* findStale(before: ClusterEntries, changes: Changes): Generator<void, ReadonlySet<string>, void> {
  const keys = new Set([...changes.cluster, ...changes.endpoints]);
  if (changes.secret.size === 0 && changes.authorities.size === 0) return keys;
  let looked = 0;
  for (const [key, { config }] of before) {
    if (namesAny(config, changes)) keys.add(key);
    if (++looked % LOOK_SLICE === 0) yield;
  }
  return keys;
}

function toEntry(
  old: ClusterEntry | undefined,
  config: Cluster,
  { snapshot, table }: { readonly snapshot: Snapshot; readonly table: ClusterTable },
): ClusterEntry {
  const endpoints = getResource(snapshot, "endpoints", config.key);
  const compiled = compileUpstreamTls(config, snapshot);
  if (!compiled.ok) {
    const invalid = `the cluster ${config.key} cannot be spoken to with TLS: ${compiled.error}`;
    return { config, endpoints, tls: undefined, cluster: undefined, invalid };
  }
  // The same settings stay the same object.
  const tls = old?.tls?.id === compiled.value?.id ? old?.tls : compiled.value;
  const kept = old?.cluster !== undefined && isSameUpstream(old, { config, tls }) ? old.cluster : undefined;
  return { config, endpoints, tls, cluster: kept ?? table.create(config, endpoints, tls), invalid: "" };
}

/** Whether routes that hold what they know of the old one can go on with that. */
function isSameToRoutes(one: ClusterEntry | undefined, other: ClusterEntry | undefined): boolean {
  return one?.cluster === other?.cluster && one?.invalid === other?.invalid;
}

/**
 * Other names or another way of discovery are other servers, and who must prove something else may be another one too:
 * nothing of the old connections is of use to them.
 */
function isSameUpstream(
  one: Pick<ClusterEntry, "config" | "tls">,
  other: Pick<ClusterEntry, "config" | "tls">,
): boolean {
  return toUpstreamText(one) === toUpstreamText(other);
}

function toUpstreamText({ config, tls }: Pick<ClusterEntry, "config" | "tls">): string {
  return JSON.stringify([config.discovery, config.protocol, tls?.peerId]);
}
