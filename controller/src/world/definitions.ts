/**
 * Notices when the CustomResourceDefinition of a kind comes or is replaced. Servers show objects as the schema of the moment cuts them, with
 * the same version before and after: whoever watches them goes on with what the older schema left, and does not hear of it.
 */
import type { KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import { watchList } from "../api/watch-list.ts";
import { isRecord } from "../kube/field-path.ts";
import { kindNames, kinds } from "../kube/kinds.ts";
import type { Kind } from "./world.ts";

/** How definitions are watched. */
export interface DefinitionOptions {
  readonly log?: ApiLog;
  /**
   * Milliseconds after a change at which the objects of the kind are to be read anew. More than once: a server says that a definition
   * changed before it serves by it, and each of several servers does so at a time of its own.
   */
  readonly delays?: readonly number[];
  /** The objects of the kind are to be read anew. */
  readonly onChange: (kind: Kind) => void;
}

/** Definitions that are watched until closed. */
export interface WatchedDefinitions {
  close(): Promise<void>;
}

const DELAYS = [1000, 5000, 30_000];

/** Watches the definitions of all kinds that have one; of those that are there at first nothing is told. */
export function watchDefinitions(api: KubeApi, options: DefinitionOptions): WatchedDefinitions {
  const { log } = options;
  const seen = new SeenDefinitions(options);
  const list = watchList(
    api,
    {
      path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      part: "metadata",
      // Whoever applies definitions from files leaves the whole of them in an annotation, some hundred kilobytes.
      pageSize: 50,
      ...(log === undefined ? {} : { log }),
    },
    {
      onObject: ({ metadata }, { name }) => seen.put(name, toEdition(metadata)),
      onDelete: ({ name }) => seen.put(name, undefined),
      onListed: () => seen.begin(),
    },
  );
  return {
    close: async () => {
      await list.close();
      seen.close();
    },
  };
}

/** Kinds by the names that their definitions have. */
const BY_DEFINITION: ReadonlyMap<string, Kind> = new Map(
  kindNames.map((kind) => [`${kinds[kind].plural}.${kinds[kind].group}`, kind]),
);

class SeenDefinitions {
  readonly #options: DefinitionOptions;
  readonly #editions = new Map<Kind, string>();
  readonly #timers = new Map<Kind, readonly NodeJS.Timeout[]>();
  #hasBegun = false;

  constructor(options: DefinitionOptions) {
    this.#options = options;
  }

  /** From now on it is news what comes. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** Takes over which edition of a definition there is; undefined: none, which the watch of its kind finds out by itself. */
  put(name: string, edition: string | undefined): void {
    const kind = BY_DEFINITION.get(name);
    if (kind === undefined) return;
    const before = this.#editions.get(kind);
    if (edition === undefined) this.#editions.delete(kind);
    else this.#editions.set(kind, edition);
    if (!this.#hasBegun || edition === undefined || edition === before) return;
    this.#options.log?.info("the definition of a kind changed; its objects are read anew", { kind, definition: name });
    this.#plan(kind);
  }

  close(): void {
    for (const timers of this.#timers.values()) for (const timer of timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #plan(kind: Kind): void {
    for (const timer of this.#timers.get(kind) ?? []) clearTimeout(timer);
    const { delays = DELAYS, onChange } = this.#options;
    const timers = delays.map((delay) => setTimeout(() => onChange(kind), delay).unref());
    this.#timers.set(kind, timers);
  }
}

/** Which object of the name it is, and which state of its spec: statuses are changed all the time. */
function toEdition(metadata: unknown): string {
  return isRecord(metadata) ? `${String(metadata["uid"])} ${String(metadata["generation"])}` : "";
}
