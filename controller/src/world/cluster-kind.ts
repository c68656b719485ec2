/** The objects of one kind of a cluster, decoded as they come. What cannot be decoded leaves the last good version in place. */
import type { KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import type { ObjectName, RawObject } from "../api/reflection.ts";
import { watchList } from "../api/watch-list.ts";
import type { WatchedList } from "../api/watch-list.ts";
import { decodeObject } from "../kube/decode.ts";
import type { FieldIssue } from "../kube/field-issue.ts";
import { formatFieldPath } from "../kube/field-path.ts";
import type { GeneratedKind } from "../kube/generated-kind.ts";
import { kinds } from "../kube/kinds.ts";
import type { KubeObject } from "../kube/kinds.ts";
import type { AnyWorldObject, ObjectChange } from "./indexed-world.ts";
import { Pacer } from "./pacer.ts";
import type { Kind } from "./world.ts";

/** What to leave out: Helm's releases and service account tokens are many, large, and never certificates. */
const selectors: Partial<Record<Kind, Readonly<Record<string, string>>>> = {
  Secret: { fieldSelector: "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token" },
};

/** Milliseconds after which changes are told although more are waiting to be decoded. */
const LONGEST_SILENCE = 50;

/** What is known of one kind. */
export interface KindCounts {
  /** Objects that cannot be decoded, whether or not an older version of them is still in use. */
  readonly undecodable: number;
  /** Fields that were removed because this version does not know them, since the start. */
  readonly unknownFields: number;
}

/** How a kind is watched. */
export interface KindWatchOptions {
  readonly api: KubeApi;
  readonly kind: Kind;
  readonly log?: ApiLog;
  readonly pageSize?: number;
  /** Milliseconds that only grow; by default those of the process. */
  readonly now?: () => number;
  /** Called with what changed; of one object at most once. */
  readonly onChange: (changes: readonly ObjectChange[]) => void;
}

/** One kind, watched until closed. */
export class KindWatch {
  /** Resolves when everything there is has been told. */
  readonly synced: Promise<void>;
  readonly #options: KindWatchOptions;
  readonly #list: WatchedList;
  /** What came and is not decoded yet, the last version of each object; undefined where it is gone. */
  readonly #queue = new Map<string, { readonly name: ObjectName; readonly raw: RawObject | undefined }>();
  readonly #changes = new Map<string, ObjectChange>();
  readonly #undecodable = new Set<string>();
  readonly #markSynced: () => void;
  #unknownFields = 0;
  #isListing = true;
  /** Whether the first list, whole, has not been told yet. */
  #isFirst = true;
  #isBusy = false;
  #work: Promise<void> | undefined;

  constructor(options: KindWatchOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
    const { api, kind, log, pageSize } = options;
    const query = selectors[kind];
    const target = {
      path: toPaths(kinds[kind]),
      ...(query === undefined ? {} : { query }),
      ...(log === undefined ? {} : { log }),
      ...(pageSize === undefined ? {} : { pageSize }),
    };
    this.#list = watchList(api, target, {
      onObject: (raw, name) => this.#enqueue(name, raw),
      onDelete: (name) => this.#enqueue(name, undefined),
      onListing: () => {
        this.#isListing = true;
      },
      onListed: () => {
        this.#isListing = false;
        this.#begin();
      },
    });
  }

  /** See KindCounts. */
  get counts(): KindCounts {
    return { undecodable: this.#undecodable.size, unknownFields: this.#unknownFields };
  }

  /** Reads all objects anew: another schema may have left more or less of them. */
  refresh(): void {
    this.#list.refresh();
  }

  /** Ends it; nothing is told afterwards. */
  async close(): Promise<void> {
    await this.#list.close();
    this.#queue.clear();
    this.#isListing = true;
    await this.#work;
  }

  #enqueue(name: ObjectName, raw: RawObject | undefined): void {
    this.#queue.set(`${name.namespace}/${name.name}`, { name, raw });
    this.#begin();
  }

  #begin(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#work = this.#drain();
  }

  async #drain(): Promise<void> {
    const { now = () => performance.now() } = this.#options;
    const pacer = new Pacer();
    let told = now();
    for (const [key, { name, raw }] of this.#queue) {
      this.#queue.delete(key);
      if (raw === undefined) this.#remove(key, name);
      else await this.#decode(key, name, raw);
      await pacer.breathe();
      // Who changes an object faster than it can be decoded must not keep the changes of others back for ever.
      if (this.#isListing || this.#isFirst || now() - told < LONGEST_SILENCE) continue;
      told = now();
      this.#tellChanges();
    }
    this.#isBusy = false;
    // What a list brings belongs together, and half of it would look as if the rest had been deleted.
    if (this.#isListing) return;
    this.#tellChanges();
    this.#isFirst = false;
    this.#markSynced();
  }

  #tellChanges(): void {
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    if (changes.length > 0) this.#options.onChange(changes);
  }

  #remove(key: string, { namespace, name }: ObjectName): void {
    this.#undecodable.delete(key);
    this.#changes.set(key, { kind: this.#options.kind, namespace, name });
  }

  async #decode(key: string, { namespace, name }: ObjectName, raw: RawObject): Promise<void> {
    const { kind } = this.#options;
    const { object, issues, unknownFields } = await decodeObject(kind, raw, "lenient");
    this.#noteUnknownFields(unknownFields, namespace, name);
    if (object === undefined) {
      this.#undecodable.add(key);
      this.#tell(issues, namespace, name);
      return;
    }
    this.#undecodable.delete(key);
    this.#changes.set(key, { kind, namespace, name, object: toWorldObject(kind, object) });
  }

  /** The first of a kind is told; the number is in the counts. */
  #noteUnknownFields(count: number, namespace: string, name: string): void {
    if (count > 0 && this.#unknownFields === 0)
      this.#options.log?.info("objects have fields that this version does not know; they are ignored", {
        kind: this.#options.kind,
        namespace,
        name,
      });
    this.#unknownFields += count;
  }

  #tell(issues: readonly FieldIssue[], namespace: string, name: string): void {
    const errors = issues.filter(({ severity }) => severity === "error");
    const [first] = errors;
    this.#options.log?.warn("an object cannot be read; its last good version stays in use, if there is one", {
      kind: this.#options.kind,
      namespace,
      name,
      path: first === undefined ? "" : formatFieldPath(first.path),
      reason: first?.message ?? "",
      errors: errors.length,
    });
  }
}

function toPaths({ group, versions, plural }: GeneratedKind): [string, ...string[]] {
  const [first, ...others] = versions.map((version) =>
    group === "" ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`,
  );
  return [first ?? "", ...others];
}

function toWorldObject(kind: Kind, object: KubeObject): AnyWorldObject {
  const { namespace, name, creationTimestamp } = object.metadata;
  // The decoder gives each object the kind it was asked for.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { kind, namespace, name, object, age: toAge(creationTimestamp) } as AnyWorldObject;
}

/** As text, older before newer. Servers always set the time; who comes without it is the youngest. */
function toAge(timestamp: string | undefined): string {
  const millis = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(millis) ? "~" : new Date(millis).toISOString();
}
