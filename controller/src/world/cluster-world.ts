/** The world of a cluster: all objects of all kinds that translators read, as the API server has them, kept up to date. */
import { isDeepStrictEqual } from "node:util";
import type { KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import { kindNames } from "../kube/kinds.ts";
import { KindWatch } from "./cluster-kind.ts";
import type { KindCounts } from "./cluster-kind.ts";
import { type DefinitionOptions, type WatchedDefinitions, watchDefinitions } from "./definitions.ts";
import { changeWorld, indexWorld } from "./indexed-world.ts";
import type { IndexedWorld, ObjectChange } from "./indexed-world.ts";
import type { Kind } from "./world.ts";

/** How a cluster is watched. */
export interface WatchClusterOptions {
  readonly log?: ApiLog;
  /** Kinds to watch; all by default. */
  readonly kinds?: readonly Kind[];
  /** Objects of one page of a list. */
  readonly pageSize?: number;
  /** When objects are read anew after their definition changed; see DefinitionOptions. */
  readonly delays?: DefinitionOptions["delays"];
}

/** The world of a cluster as it is now; it is the controller's WatchedWorld. */
export interface ClusterWorld {
  /** Resolves when every kind has been listed once. Kinds whose CRD is not installed have no objects. */
  readonly synced: Promise<void>;
  /** As it is now; the same object as long as nothing changed. Empty until `synced`: half a world would be acted upon. */
  readonly world: IndexedWorld;
  /** What could not be read. */
  readonly counts: ReadonlyMap<Kind, KindCounts>;
  /** `listener` is called after changes, once for many of one turn. Returns what stops it. */
  onChange(listener: () => void): () => void;
  /** Ends all watches; no listener is called afterwards. */
  close(): Promise<void>;
}

/** Watches a cluster until closed. Failures are logged and waited for. */
export function watchCluster(api: KubeApi, options: WatchClusterOptions = {}): ClusterWorld {
  return new WatchedCluster(api, options);
}

class WatchedCluster implements ClusterWorld {
  readonly synced: Promise<void>;
  readonly #watches: ReadonlyMap<Kind, KindWatch>;
  readonly #definitions: WatchedDefinitions;
  readonly #listeners = new Set<() => void>();
  #world = indexWorld([]);
  #pending: ObjectChange[] = [];
  #isSynced = false;
  #turn: NodeJS.Immediate | undefined;

  constructor(api: KubeApi, { kinds = kindNames, log, pageSize, delays }: WatchClusterOptions) {
    const onChange = (changes: readonly ObjectChange[]): void => this.#take(changes);
    this.#watches = new Map(
      kinds.map((kind) => [
        kind,
        new KindWatch({
          api,
          kind,
          onChange,
          ...(log === undefined ? {} : { log }),
          ...(pageSize === undefined ? {} : { pageSize }),
        }),
      ]),
    );
    this.#definitions = watchDefinitions(api, {
      onChange: (kind) => this.#watches.get(kind)?.refresh(),
      ...(log === undefined ? {} : { log }),
      ...(delays === undefined ? {} : { delays }),
    });
    this.synced = Promise.all([...this.#watches.values()].map(({ synced }) => synced)).then(() => {
      this.#isSynced = true;
      this.#plan();
    });
  }

  get world(): IndexedWorld {
    if (this.#isSynced) this.#apply();
    return this.#world;
  }

  get counts(): ReadonlyMap<Kind, KindCounts> {
    return new Map([...this.#watches].map(([kind, { counts }]) => [kind, counts]));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    clearImmediate(this.#turn);
    this.#listeners.clear();
    await this.#definitions.close();
    await Promise.all([...this.#watches.values()].map(async (watch) => watch.close()));
    clearImmediate(this.#turn);
  }

  #take(changes: readonly ObjectChange[]): void {
    for (const change of changes) this.#pending.push(change);
    if (this.#isSynced) this.#plan();
  }

  #plan(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#apply();
      for (const listener of this.#listeners) listener();
    });
  }

  #apply(): void {
    if (this.#pending.length === 0) return;
    const latest = new Map(
      this.#pending.map((change) => [`${change.kind}/${change.namespace}/${change.name}`, change]),
    );
    this.#pending = [];
    const news = [...latest.values()].filter((change) => !this.#isKnown(change));
    if (news.length > 0) this.#world = changeWorld(this.#world, news);
  }

  /**
   * What was read anew with its definition comes with the version that it had. Most of it is as it was and stays the same object, so that
   * nothing is made anew of it.
   */
  #isKnown({ kind, namespace, name, object }: ObjectChange): boolean {
    const now = object?.object;
    const before = this.#world.get(kind, namespace, name)?.object;
    if (now === undefined || before === undefined) return false;
    const { resourceVersion } = now.metadata;
    if (resourceVersion === undefined || resourceVersion !== before.metadata.resourceVersion) return false;
    return isDeepStrictEqual(before, now);
  }
}
