// What an API server keeps of one resource, for tests: objects with versions, a history that can be compacted, pages of snapshots.
import type { ApiEvent } from "../src/api/contract.ts";
import { ApiFailure } from "../src/api/contract.ts";

/** An object as it is stored. */
export interface StoredObject {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion: string };
  readonly [field: string]: unknown;
}

interface Change {
  readonly version: number;
  readonly event: ApiEvent;
}

/** What may be asked of a list. */
export interface PageRequest {
  readonly limit?: number;
  readonly continue?: string;
}

/** One resource of a server. Throws the failures that an API server would answer with. */
export class ModelStore {
  /** Version of the last change. */
  version = 1;
  #compacted = 0;
  #objects = new Map<string, StoredObject>();
  #history: Change[] = [];
  readonly #snapshots = new Map<number, readonly StoredObject[]>();
  readonly #watchers = new Set<() => void>();

  /** All objects, in order. */
  get objects(): readonly StoredObject[] {
    return [...this.#objects.values()].toSorted((left, right) => (toKey(left) < toKey(right) ? -1 : 1));
  }

  /** Makes or replaces an object. */
  put(namespace: string, name: string, body: Readonly<Record<string, unknown>> = {}): StoredObject {
    const key = `${namespace}/${name}`;
    const version = ++this.version;
    const extra = typeof body["metadata"] === "object" ? body["metadata"] : {};
    const metadata = { ...extra, namespace, name, resourceVersion: String(version) };
    const object: StoredObject = { ...body, metadata };
    this.#note(version, { type: this.#objects.has(key) ? "MODIFIED" : "ADDED", object: structuredClone(object) });
    this.#objects.set(key, object);
    for (const watcher of this.#watchers) watcher();
    return object;
  }

  /** Removes an object, if it is there. */
  delete(namespace: string, name: string): void {
    const object = this.#objects.get(`${namespace}/${name}`);
    if (object === undefined) return;
    const version = ++this.version;
    this.#objects.delete(`${namespace}/${name}`);
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    this.#note(version, { type: "DELETED", object: { ...structuredClone(object), metadata } });
    for (const watcher of this.#watchers) watcher();
  }

  /** Forgets everything but the present: older watches and pages expire. */
  compact(): void {
    this.#compacted = this.version;
    this.#history = [];
    this.#snapshots.clear();
  }

  /** A page of a consistent list. */
  list(request: PageRequest): Record<string, unknown> {
    const [version, start] = this.#toPosition(request.continue);
    const all = this.#snapshots.get(version) ?? this.objects;
    this.#snapshots.set(version, all);
    const end = request.limit === undefined ? all.length : Math.min(all.length, start + request.limit);
    const rest = end < all.length ? { continue: `${version}.${end}` } : {};
    const items: unknown = structuredClone(all.slice(start, end));
    return { kind: "ThingList", apiVersion: "v1", metadata: { resourceVersion: String(version), ...rest }, items };
  }

  /** What happened after a version. */
  since(version: number): readonly Change[] {
    if (version < this.#compacted) throw expired();
    return this.#history.filter((change) => change.version > version);
  }

  /** Calls back after each change. Returns what stops it. */
  onChange(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #toPosition(token: string | undefined): readonly [version: number, start: number] {
    if (token === undefined) return [this.version, 0];
    const [version = 0, start = 0] = token.split(".").map(Number);
    if (!this.#snapshots.has(version)) throw expired();
    return [version, start];
  }

  #note(version: number, event: ApiEvent): void {
    this.#history.push({ version, event });
  }
}

function expired(): ApiFailure {
  return new ApiFailure("too old resource version", { status: 410, reason: "Expired" });
}

function toKey({ metadata }: StoredObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
