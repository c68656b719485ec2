/** Routes of connections and datagrams: compiled, and put on the listeners they hang on. */
import type { StreamBackend, StreamRoute } from "@sallyport/model/route";
import type { Snapshot } from "@sallyport/model/snapshot";
import { clustersOf } from "@sallyport/model/validate";
import type { CompiledStreamBackend, CompiledStreamRoute } from "../router/contract.ts";
import { HostTable } from "../router/host-table.ts";
import { compileWeightedPick } from "../router/weighted-pick.ts";
import { type Changes, getResource } from "./changes.ts";
import type { ClusterEntries } from "./clusters.ts";
import { copyMap } from "./copy-map.ts";

/** A route with what tells when it must be compiled anew. */
export interface StreamEntry {
  readonly resource: StreamRoute;
  readonly compiled: CompiledStreamRoute;
  readonly clusterKeys: ReadonlySet<string>;
}

/** All routes, and what each listener has of them. */
export interface Streams {
  readonly routes: ReadonlyMap<string, StreamEntry>;
  readonly listeners: ReadonlyMap<string, ListenerStreams>;
}

/** No routes. */
export const NO_STREAMS: Streams = { routes: new Map(), listeners: new Map() };

/** What compiling takes besides the state before. */
export interface StreamInput {
  readonly changes: Changes;
  readonly snapshot: Snapshot;
  readonly clusters: ClusterEntries;
  /** Clusters that are others now. */
  readonly replaced: ReadonlySet<string>;
}

/** Routes looked at between two yields. */
const SLICE = 256;

/** The routes of one listener. */
export class ListenerStreams {
  /** By key. */
  readonly routes: ReadonlyMap<string, StreamEntry>;
  readonly #listener: string;
  #table: HostTable<CompiledStreamRoute> | undefined = undefined;

  constructor(listener: string, routes: ReadonlyMap<string, StreamEntry>) {
    this.#listener = listener;
    this.routes = routes;
  }

  /** The route of a server name: of the most specific hostname, and of several with that the oldest. */
  find(serverName: string | undefined): CompiledStreamRoute | undefined {
    this.#table ??= new HostTable(toWinners(this.routes.values(), this.#listener));
    return this.#table.find(serverName ?? "");
  }
}

/** Brings the routes up to the snapshot. Listeners whose routes did not change keep their object. */
export function* compileStreams(before: Streams, input: StreamInput): Generator<void, Streams, void> {
  const stale = yield* findStale(before, input);
  if (stale.size === 0) return before;
  const routes = yield* copyMap(before.routes);
  const edits = new Map<string, Map<string, StreamEntry>>();
  let looked = 0;
  for (const key of stale) {
    for (const listener of listenersOf(before.routes.get(key))) edit(listener).delete(key);
    const resource = getResource(input.snapshot, "stream-route", key);
    if (resource === undefined) routes.delete(key);
    else {
      const entry = compileStream(resource, input.clusters);
      routes.set(key, entry);
      for (const listener of listenersOf(entry)) edit(listener).set(key, entry);
    }
    if (++looked % SLICE === 0) yield;
  }
  const listeners = yield* copyMap(before.listeners);
  for (const [key, edited] of edits) {
    if (edited.size === 0) listeners.delete(key);
    else listeners.set(key, new ListenerStreams(key, edited));
  }
  return { routes, listeners };

  function edit(listener: string): Map<string, StreamEntry> {
    const known = edits.get(listener) ?? new Map(before.listeners.get(listener)?.routes);
    edits.set(listener, known);
    return known;
  }
}

function* findStale(before: Streams, { changes, replaced }: StreamInput): Generator<void, ReadonlySet<string>, void> {
  if (replaced.size === 0) return changes["stream-route"];
  const stale = new Set(changes["stream-route"]);
  let looked = 0;
  for (const [key, { clusterKeys }] of before.routes) {
    for (const cluster of clusterKeys) if (replaced.has(cluster)) stale.add(key);
    if (++looked % SLICE === 0) yield;
  }
  return stale;
}

function listenersOf(entry: StreamEntry | undefined): ReadonlySet<string> {
  return new Set(entry?.resource.attachments.map(({ listener }) => listener));
}

function compileStream(resource: StreamRoute, clusters: ClusterEntries): StreamEntry {
  const backends = resource.backends.map((backend) => ({
    value: compileBackend(backend, clusters),
    weight: backend.weight,
  }));
  const pick = compileWeightedPick(backends) ?? (() => undefined);
  return { resource, compiled: { key: resource.key, pick }, clusterKeys: clustersOf(resource) };
}

function compileBackend(backend: StreamBackend, clusters: ClusterEntries): CompiledStreamBackend {
  if (backend.kind === "invalid") return { cluster: undefined, invalid: backend.reason };
  const entry = clusters.get(backend.cluster);
  if (entry === undefined) return { cluster: undefined, invalid: `the cluster ${backend.cluster} is unknown` };
  return { cluster: entry.cluster, invalid: entry.invalid };
}

/** By hostname. */
function toWinners(routes: Iterable<StreamEntry>, listener: string): ReadonlyMap<string, CompiledStreamRoute> {
  const winners = new Map<string, StreamEntry>();
  for (const entry of routes) {
    for (const attachment of entry.resource.attachments) {
      if (attachment.listener !== listener) continue;
      for (const hostname of attachment.hostnames) {
        const other = winners.get(hostname);
        if (other === undefined || isBefore(entry.resource, other.resource)) winners.set(hostname, entry);
      }
    }
  }
  return new Map([...winners].map(([hostname, { compiled }]) => [hostname, compiled]));
}

/** The older one, then the one whose key comes first (Gateway API: route precedence). */
function isBefore(one: StreamRoute, other: StreamRoute): boolean {
  if (one.age !== other.age) return one.age < other.age;
  return one.key < other.key;
}
