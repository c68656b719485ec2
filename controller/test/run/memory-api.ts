// An API server in memory: resourceVersions, generations, lists, watches, status subresources, leases; and failures by script.
import { Signal } from "@sallyport/testkit/signal";
import { type ApiEvent, ApiFailure, type ApiRequest, type KubeApi } from "../../src/api/contract.ts";
import type { GeneratedKind } from "../../src/kube/generated-kind.ts";
import { isKindName, kinds } from "../../src/kube/kinds.ts";
import { type ManifestKind, manifestKinds, toKindPath } from "../../src/provision/manifest.ts";

/** An object as the API server has it. */
export type ApiObject = Readonly<Record<string, unknown>>;

interface Place {
  readonly collection: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

interface Watcher {
  readonly collection: string;
  readonly matches: (object: ApiObject) => boolean;
  readonly onEvent: (event: ApiEvent) => void;
}

/** The server. */
export class MemoryApi implements KubeApi {
  /** Requests that were answered with success, but lists and watches. */
  readonly writes: ApiRequest[] = [];
  readonly changed = new Signal();
  /** Called before a request is carried out; what it returns is the answer instead. */
  script: (request: ApiRequest) => ApiFailure | Promise<ApiFailure | undefined> | undefined = () => undefined;
  readonly #objects = new Map<string, ApiObject>();
  readonly #events: { readonly collection: string; readonly version: number; readonly event: ApiEvent }[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 100;

  /** Makes or replaces an object; its status stays unless it has one. Returns it as it is now. */
  put(object: ApiObject): ApiObject {
    const place = placeOf(object);
    const before = this.#objects.get(toKey(place));
    const { status = before?.["status"], metadata, ...body } = object;
    const old = metadataOf(before);
    const isSame = before !== undefined && JSON.stringify(bodyOf(before)) === JSON.stringify(body);
    const generation = Number(old["generation"] ?? 0) + (isSame ? 0 : 1);
    const uid = old["uid"] ?? `uid-${this.#version}`;
    const creationTimestamp = old["creationTimestamp"] ?? "2026-01-01T00:00:00Z";
    return this.#store(place, {
      ...body,
      metadata: { ...old, ...toRecord(metadata), uid, creationTimestamp, generation },
      ...(status === undefined ? {} : { status }),
    });
  }

  /** Deletes an object. */
  remove(kind: string, namespace: string, name: string): void {
    const place = { collection: collectionOf(kind), namespace, name, subresource: "" };
    const object = this.#objects.get(toKey(place));
    if (object === undefined) return;
    this.#objects.delete(toKey(place));
    this.#tell(place.collection, { type: "DELETED", object });
  }

  /** The object as it is now. */
  get(kind: string, namespace: string, name: string): ApiObject | undefined {
    return this.#objects.get(toKey({ collection: collectionOf(kind), namespace, name, subresource: "" }));
  }

  /** As another controller would, with its own view of the object. */
  putStatus(
    kind: string,
    namespace: string,
    { name, status }: { readonly name: string; readonly status: unknown },
  ): void {
    const place = { collection: collectionOf(kind), namespace, name, subresource: "" };
    const object = this.#objects.get(toKey(place));
    if (object !== undefined) this.#store(place, { ...object, status });
  }

  async send(request: ApiRequest): Promise<ApiObject> {
    const failure = await this.script(request);
    if (failure !== undefined) throw failure;
    if (request.signal?.aborted === true) throw new ApiFailure("given up", { status: 0 });
    const place = parsePath(request.path);
    if (request.method === "GET")
      return structuredClone(place.name === "" ? this.#list(place, toMatcher(request)) : this.#require(place));
    const answer = structuredClone(this.#write(request, place));
    this.writes.push(request);
    this.changed.changed();
    return answer;
  }

  async watch(request: ApiRequest, onEvent: (event: ApiEvent) => void): Promise<void> {
    const { collection } = parsePath(request.path);
    const since = Number(request.query?.["resourceVersion"] ?? 0);
    const matches = toMatcher(request);
    for (const { collection: of, version, event } of this.#events)
      if (of === collection && version > since && matches(event.object)) onEvent(structuredClone(event));
    const watcher: Watcher = { collection, matches, onEvent };
    this.#watchers.add(watcher);
    await new Promise<void>((resolve) => {
      if (request.signal?.aborted === true) resolve();
      request.signal?.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#watchers.delete(watcher);
  }

  #list({ collection, namespace }: Place, matches: (object: ApiObject) => boolean): ApiObject {
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(`${collection} ${namespace === "" ? "" : `${namespace}/`}`))
      .map(([, object]) => object)
      .filter(matches);
    return { kind: "List", metadata: { resourceVersion: String(this.#version) }, items };
  }

  #require(place: Place): ApiObject {
    const object = this.#objects.get(toKey(place));
    if (object === undefined) throw new ApiFailure(`${toKey(place)} not found`, { status: 404, reason: "NotFound" });
    return object;
  }

  #write(request: ApiRequest, place: Place): ApiObject {
    const body = toRecord(request.body);
    if (request.method === "POST") {
      const named = { ...place, name: String(metadataOf(body)["name"]) };
      if (this.#objects.has(toKey(named))) throw new ApiFailure("exists", { status: 409, reason: "AlreadyExists" });
      return this.#store(named, body);
    }
    if (request.contentType === "application/apply-patch+yaml") return this.#apply(place, body);
    const before = this.#require(place);
    if (request.method === "DELETE") {
      const { uid } = toRecord(body["preconditions"]);
      if (uid !== undefined && uid !== metadataOf(before)["uid"])
        throw new ApiFailure("another object has that name", { status: 409, reason: "Conflict" });
      this.#objects.delete(toKey(place));
      this.#tell(place.collection, { type: "DELETED", object: before });
      return before;
    }
    const claimed = metadataOf(body)["resourceVersion"];
    if (claimed !== undefined && claimed !== metadataOf(before)["resourceVersion"])
      throw new ApiFailure("the object has been modified", { status: 409, reason: "Conflict" });
    if (request.method === "PUT") return this.#store(place, body);
    return this.#store(place, { ...before, status: mergePatch(before["status"], body["status"]) });
  }

  /** Server-side apply as far as maps go: fields that are applied win, all others stay. */
  #apply(place: Place, body: ApiObject): ApiObject {
    const before = this.#objects.get(toKey(place));
    const uid = metadataOf(before)["uid"] ?? `uid-${this.#version}`;
    const merged = toRecord(mergePatch(before, body));
    return this.#store(place, { ...merged, metadata: { ...metadataOf(merged), uid } });
  }

  #store(place: Place, object: ApiObject): ApiObject {
    const before = this.#objects.get(toKey(place));
    // As the server does: what changes nothing makes no new version.
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(object)) return before;
    this.#version += 1;
    const metadata = { ...metadataOf(object), resourceVersion: String(this.#version) };
    const stored = structuredClone({ ...object, metadata });
    this.#objects.set(toKey(place), stored);
    this.#tell(place.collection, { type: before === undefined ? "ADDED" : "MODIFIED", object: stored });
    return stored;
  }

  #tell(collection: string, event: ApiEvent): void {
    this.#events.push({ collection, version: this.#version, event });
    for (const watcher of this.#watchers)
      if (watcher.collection === collection && watcher.matches(event.object)) watcher.onEvent(structuredClone(event));
    this.changed.changed();
  }
}

function toKey({ collection, namespace, name }: Place): string {
  return `${collection} ${namespace}/${name}`;
}

function parsePath(path: string): Place {
  const [, api, namespace = "", plural, name = "", subresource = ""] =
    /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ??
    [];
  return { collection: `${api}/${plural}`, namespace, name, subresource };
}

/** Of selectors one: `label=value`. An object that loses the label goes unseen here. */
function toMatcher({ query }: ApiRequest): (object: ApiObject) => boolean {
  const [label, value] = query?.["labelSelector"]?.split("=") ?? [];
  return (object) => label === undefined || toRecord(metadataOf(object)["labels"])[label] === value;
}

function isManifestKind(kind: string): kind is ManifestKind {
  return manifestKinds.some((each) => each === kind);
}

function collectionOf(kind: string): string {
  if (isManifestKind(kind)) return toKindPath(kind);
  if (!isKindName(kind)) throw new Error(`no kind ${kind}`);
  const definition: GeneratedKind = kinds[kind];
  const [version] = definition.versions;
  return `${definition.group === "" ? `/api/${version}` : `/apis/${definition.group}/${version}`}/${definition.plural}`;
}

function placeOf(object: ApiObject): Place {
  const { namespace = "", name } = metadataOf(object);
  const collection = collectionOf(String(object["kind"]));
  return { collection, namespace: String(namespace), name: String(name), subresource: "" };
}

function bodyOf({ metadata: _metadata, status: _status, ...body }: ApiObject): ApiObject {
  return body;
}

function metadataOf(object: ApiObject | undefined): Readonly<Record<string, unknown>> {
  return toRecord(object?.["metadata"]);
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = Array.isArray(target) ? {} : { ...toRecord(target) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}
