/** Puts compiled routes on listeners: what changed is taken off and put on, everything else stays as it is. */
import type { RouteAttachment } from "@sallyport/model/route";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { Candidate } from "../router/candidate.ts";
import { type Changes, getResource } from "./changes.ts";
import { copyMap } from "./copy-map.ts";
import { compileListener, ListenerEdit, type ListenerRoutes } from "./listeners.ts";
import { type CompiledRoute, toCandidates } from "./routes.ts";

/** A route on one of its listeners. */
interface Placement {
  readonly attachment: RouteAttachment;
  readonly candidates: readonly Candidate[];
}

/** A route with its places. */
export interface PlacedRoute {
  readonly route: CompiledRoute;
  readonly placements: readonly Placement[];
}

/** What is placed where. */
export interface Placed {
  readonly listeners: ReadonlyMap<string, ListenerRoutes>;
  readonly routes: ReadonlyMap<string, PlacedRoute>;
}

/** What placing takes besides the state before. */
export interface PlacementInput {
  readonly changes: Changes;
  readonly snapshot: Snapshot;
  /** Routes compiled anew, by key; those that are gone are undefined. */
  readonly compiled: ReadonlyMap<string, CompiledRoute | undefined>;
  readonly metricsBlock: (listenerKey: string) => number;
}

/** Routes looked at between two yields where little is done with each. */
const SLICE = 256;

/** The state after all changes. */
export function* placeRoutes(before: Placed, input: PlacementInput): Generator<void, Placed, void> {
  const placer = new RoutePlacer(before, input);
  yield* placer.editListeners();
  const routes = yield* placer.editRoutes();
  return { listeners: yield* placer.finishListeners(), routes };
}

/** One placing. */
class RoutePlacer {
  readonly #before: Placed;
  readonly #input: PlacementInput;
  readonly #edits = new Map<string, ListenerEdit>();
  /** Listeners that begin anew: every route on them is placed again. */
  readonly #renewed = new Set<string>();

  constructor(before: Placed, input: PlacementInput) {
    this.#before = before;
    this.#input = input;
  }

  *editListeners(): Generator<void, void, void> {
    const { changes, snapshot, metricsBlock } = this.#input;
    for (const key of changes.listener) {
      const resource = getResource(snapshot, "listener", key);
      if (resource === undefined) continue;
      const old = this.#before.listeners.get(key);
      const compiled = compileListener(resource, old?.compiled, metricsBlock(key));
      const isKept = old !== undefined && compiled === old.compiled;
      if (!isKept) this.#renewed.add(key);
      this.#edits.set(key, new ListenerEdit(resource, compiled, isKept ? old.hosts : new Map()));
      yield;
    }
  }

  *editRoutes(): Generator<void, Placed["routes"], void> {
    const { compiled } = this.#input;
    if (compiled.size === 0 && this.#renewed.size === 0) return this.#before.routes;
    const routes = yield* copyMap(this.#before.routes);
    for (const [key, route] of compiled) {
      for (const placement of this.#before.routes.get(key)?.placements ?? []) this.#takeOff(placement);
      if (route === undefined) routes.delete(key);
      else routes.set(key, { route, placements: this.#putOn(route, () => true) });
      yield;
    }
    if (this.#renewed.size > 0) yield* this.#putOnRenewed(routes);
    return routes;
  }

  *finishListeners(): Generator<void, Placed["listeners"], void> {
    const listeners = yield* copyMap(this.#before.listeners);
    for (const key of this.#input.changes.listener) listeners.delete(key);
    for (const [key, edit] of this.#edits) listeners.set(key, yield* edit.finish());
    return listeners;
  }

  /** Routes that did not change, on listeners that begin anew. */
  *#putOnRenewed(routes: Map<string, PlacedRoute>): Generator<void, void, void> {
    const isRenewed = (listener: string): boolean => this.#renewed.has(listener);
    let looked = 0;
    for (const [key, { route, placements }] of this.#before.routes) {
      if (++looked % SLICE === 0) yield;
      if (this.#input.compiled.has(key)) continue;
      if (!route.resource.attachments.some(({ listener }) => isRenewed(listener))) continue;
      const kept = placements.filter(({ attachment }) => !isRenewed(attachment.listener));
      routes.set(key, { route, placements: [...kept, ...this.#putOn(route, isRenewed)] });
      yield;
    }
  }

  #takeOff({ attachment, candidates }: Placement): void {
    if (this.#renewed.has(attachment.listener)) return;
    this.#edit(attachment.listener)?.remove(attachment, candidates);
  }

  /** Puts a route on its listeners, as far as asked. */
  #putOn(route: CompiledRoute, isAsked: (listener: string) => boolean): Placement[] {
    const placements: Placement[] = [];
    for (const attachment of route.resource.attachments) {
      const edit = isAsked(attachment.listener) ? this.#edit(attachment.listener) : undefined;
      if (edit === undefined) continue;
      const candidates = toCandidates(route, edit.compiled);
      edit.add(attachment, candidates);
      placements.push({ attachment, candidates });
    }
    return placements;
  }

  /** The edit of a listener; undefined where there is no such listener any more. */
  #edit(key: string): ListenerEdit | undefined {
    const known = this.#edits.get(key);
    const listener = this.#before.listeners.get(key);
    if (known !== undefined || listener === undefined || this.#input.changes.listener.has(key)) return known;
    const made = new ListenerEdit(listener.resource, listener.compiled, listener.hosts);
    this.#edits.set(key, made);
    return made;
  }
}
