/** Keeps somebody informed of all objects of one resource: lists them, watches them, and begins anew as often as it must. */
import { setTimeout as delay } from "node:timers/promises";
import { ApiFailure } from "./contract.ts";
import type { KubeApi } from "./contract.ts";
import type { ApiLog } from "./log.ts";
import { Reflection } from "./reflection.ts";
import type { ListHandlers, ReflectionStep } from "./reflection.ts";

/** Which objects. */
export interface ListTarget {
  /** `/apis/GROUP/VERSION/PLURAL`, or below a namespace; of several (versions of one resource) the first that the server knows. */
  readonly path: string | readonly [string, ...string[]];
  /** `labelSelector`, `fieldSelector`. */
  readonly query?: Readonly<Record<string, string>>;
  /** See ApiRequest. */
  readonly part?: "metadata";
  /** Objects of one page of a list. */
  readonly pageSize?: number;
  readonly log?: ApiLog;
}

/** A list that is kept up to date. */
export interface WatchedList {
  /** Resolves when everything there is has been told once; also where the server does not know the resource (yet). */
  readonly synced: Promise<void>;
  /** Lists and tells everything anew, also what has the version that was told: the server may see old objects differently now. */
  refresh(): void;
  /** Ends it; no handler is called afterwards. */
  close(): Promise<void>;
}

/**
 * Tells `handlers` of every object there is, and of every change, until closed. What the server did not tell because the
 * connection was lost is found out by listing anew. A resource that the server does not know (a CRD that is not installed) has
 * no objects and is asked for again every 10 to 15 seconds. Failures are logged and waited for; there is nothing to catch.
 *
 * It is for whatever of a cluster somebody must know: the world's kinds as well as, say, the Deployments with a label
 * (`{path: "/apis/apps/v1/deployments", query: {labelSelector: "a=b"}}`).
 */
export function watchList(api: KubeApi, target: ListTarget, handlers: ListHandlers): WatchedList {
  return new ListLoop(api, target, handlers);
}

class ListLoop implements WatchedList {
  readonly synced: Promise<void>;
  readonly #api: KubeApi;
  readonly #log: ApiLog | undefined;
  readonly #reflection: Reflection;
  readonly #part: Pick<ListTarget, "part">;
  /** Ends the step under way. */
  #step = new AbortController();
  #isClosed = false;
  readonly #done: Promise<void>;
  #isTroubled = false;

  constructor(api: KubeApi, { path, query, pageSize, part, log }: ListTarget, handlers: ListHandlers) {
    this.#api = api;
    this.#log = log;
    this.#part = part === undefined ? {} : { part };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    const paths = typeof path === "string" ? ([path] as const) : path;
    this.#reflection = new Reflection(
      {
        paths,
        random: Math.random,
        ...(query === undefined ? {} : { query }),
        ...(pageSize === undefined ? {} : { pageSize }),
      },
      {
        onObject: (object, name) => handlers.onObject(object, name),
        onDelete: (name) => handlers.onDelete(name),
        onListing: () => handlers.onListing?.(),
        onListed: () => {
          handlers.onListed?.();
          resolve();
        },
      },
    );
    this.#done = this.#run();
  }

  refresh(): void {
    this.#reflection.refresh();
    this.#step.abort();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#step.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#step = new AbortController();
      const { signal } = this.#step;
      const step = this.#reflection.next();
      if (step.do === "wait") await delay(step.millis, undefined, { signal }).catch(() => undefined);
      else if (step.do === "list") await this.#list(step, signal);
      else await this.#watch(step, signal);
    }
  }

  async #list({ path, query }: ReflectionStep & { readonly do: "list" }, signal: AbortSignal): Promise<void> {
    try {
      const page = await this.#api.send({ method: "GET", path, query, signal, ...this.#part });
      if (signal.aborted) return;
      this.#reflection.takePage(page);
      this.#tellRecovery(path);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (signal.aborted) return;
      this.#reflection.failList(error);
      if (error.status !== 404 && error.status !== 410)
        this.#tell("objects cannot be listed; trying again", path, error);
    }
  }

  async #watch({ path, query }: ReflectionStep & { readonly do: "watch" }, signal: AbortSignal): Promise<void> {
    let failure: ApiFailure | undefined;
    try {
      await this.#api.watch({ method: "GET", path, query, signal, ...this.#part }, (event) => {
        if (signal.aborted) return;
        failure = this.#reflection.takeEvent(event) ?? failure;
        if (this.#isTroubled) this.#tellRecovery(path);
      });
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      failure ??= error;
    }
    if (signal.aborted) return;
    this.#reflection.endWatch(failure);
    // One lost connection is everyday life.
    const isNews = failure !== undefined && this.#reflection.failures > 1;
    if (isNews && failure !== undefined && failure.status !== 410 && failure.status !== 404)
      this.#tell("objects cannot be watched; trying again", path, failure);
  }

  /** Tells failures ever more rarely as they go on. */
  #tell(message: string, path: string, failure: ApiFailure): void {
    const { failures } = this.#reflection;
    this.#isTroubled = true;
    if ((failures & (failures - 1)) === 0) this.#log?.warn(message, { path, failures, reason: failure.message });
  }

  #tellRecovery(path: string): void {
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#log?.info("objects can be read again", { path });
  }
}
