/**
 * Compiles a snapshot to a runtime. Everything whose resources kept their identity is taken over from the runtime before:
 * clusters with their connections always, routes unless they or a cluster they name changed, ports unless something on
 * them changed. Nothing that serves is touched before activate().
 */
import type { HttpRoute } from "@sallyport/model/route";
import type { Problem } from "@sallyport/model/problem";
import { fail, invariant, ok } from "@sallyport/model/result";
import { EMPTY_SNAPSHOT } from "@sallyport/model/snapshot";
import { compileBinds } from "./binds.ts";
import { type Changes, findChanges, getResource } from "./changes.ts";
import { type ClusterOutcome, compileClusters } from "./clusters.ts";
import type { Compilation, CompileOptions, CompiledRuntime } from "./contract.ts";
import { type PlacedRoute, placeRoutes } from "./placement.ts";
import { findPage } from "./pages.ts";
import { type CompiledRoute, compileRoute, type RouteContext } from "./routes.ts";
import { type RuntimeParts, SnapshotRuntime } from "./runtime.ts";
import { compileStreams, NO_STREAMS } from "./streams.ts";

/** Routes looked at between two yields where little is done with each. */
const SLICE = 256;

/** Compiles in slices: see Compilation. */
export function* compileRuntime(options: CompileOptions): Compilation {
  const { epoch, snapshot, delta, dependencies } = options;
  const { clusters: table, capabilities, metricsBlock } = dependencies;
  const before = toParts(options);
  const changes = yield* findChanges(before.snapshot, snapshot, delta);
  const clusters = yield* compileClusters(before.clusters, snapshot, { changes, table });
  const stale = yield* findStaleRoutes(before.routes, changes, clusters.replaced);
  const page: RouteContext["page"] = (key) => findPage(snapshot, key);
  const compiled = new Map<string, CompiledRoute | undefined>();
  const problems: Problem[] = [];
  for (const key of stale) {
    const resource = getResource(snapshot, "http-route", key);
    const outcome = resource && compileRoute(resource, { clusters: clusters.entries, capabilities, page });
    if (outcome?.ok === false) problems.push(outcome.error);
    else compiled.set(key, outcome?.value);
    yield;
  }
  if (problems.length > 0) return fail(problems);
  const placed = yield* placeRoutes(before, { changes, snapshot, compiled, metricsBlock });
  const { entries, replaced } = clusters;
  const streams = yield* compileStreams(before.streams, { changes, snapshot, clusters: entries, replaced });
  const binds = yield* compileBinds(before.binds, { listeners: placed.listeners.values(), streams, snapshot });
  if (!binds.ok) return fail([binds.error]);
  const pending = toPending(options.previous, clusters);
  const parts = { ...placed, epoch, snapshot, binds: binds.value, clusters: entries, streams, pending, table };
  return ok(new SnapshotRuntime(parts));
}

function toParts({ previous, epoch, dependencies }: CompileOptions): RuntimeParts {
  if (previous !== undefined) return toSnapshotRuntime(previous).parts;
  return {
    epoch,
    snapshot: EMPTY_SNAPSHOT,
    binds: new Map(),
    clusters: new Map(),
    listeners: new Map(),
    routes: new Map(),
    streams: NO_STREAMS,
    pending: new Map(),
    table: dependencies.clusters,
  };
}

function toSnapshotRuntime(runtime: CompiledRuntime): SnapshotRuntime {
  invariant(runtime instanceof SnapshotRuntime, "the previous runtime was compiled here");
  return runtime;
}

/** What a runtime that was never activated left undone is this one's to do. */
function toPending(previous: CompiledRuntime | undefined, clusters: ClusterOutcome): RuntimeParts["pending"] {
  const pending = new Map(previous === undefined ? [] : toSnapshotRuntime(previous).pending);
  for (const entry of clusters.updated) pending.set(entry.config.key, entry);
  for (const key of clusters.replaced) pending.delete(key);
  return pending;
}

/** Keys of routes that are new, changed or gone, or that name a cluster or a page which is another one now. */
function* findStaleRoutes(
  routes: ReadonlyMap<string, PlacedRoute>,
  changes: Changes,
  replaced: ReadonlySet<string>,
): Generator<void, ReadonlySet<HttpRoute["key"]>, void> {
  const { page: pages } = changes;
  if (replaced.size === 0 && pages.size === 0) return changes["http-route"];
  const stale = new Set(changes["http-route"]);
  let looked = 0;
  for (const [key, { route }] of routes) {
    for (const cluster of route.clusterKeys) if (replaced.has(cluster)) stale.add(key);
    for (const page of route.pageKeys) if (pages.has(page)) stale.add(key);
    if (++looked % SLICE === 0) yield;
  }
  return stale;
}
