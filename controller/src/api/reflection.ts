/**
 * What list and watch of one resource come to, without I/O: which request is next, and what each answer changes. After every
 * answer was taken in, what was told to the handlers is what the server has.
 *
 * Lists are consistent reads (no `resourceVersion`), in pages: so they never go back in time, whichever server answers.
 */
import { BackOff } from "@sallyport/model/back-off";
import { isRecord } from "../kube/field-path.ts";
import type { ApiEvent, ApiFailure } from "./contract.ts";
import { toEventFailure } from "./failure.ts";

/** An object as the API server sent it, without `managedFields`. Its own to keep and to change for who is told of it. */
export type RawObject = Record<string, unknown>;

/** Name of an object; `namespace` is "" for those that are in none. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** Who is told what there is. */
export interface ListHandlers {
  /** The object is new or another than before. */
  onObject(object: RawObject, name: ObjectName): void;
  /** The object is gone. */
  onDelete(name: ObjectName): void;
  /** All there is has been told: after each whole list, also where the server does not know the resource. */
  onListed?(): void;
  /** A whole list begins; what is told until `onListed` belongs together. */
  onListing?(): void;
}

/** What to do next. */
export type ReflectionStep =
  | { readonly do: "list"; readonly path: string; readonly query: Readonly<Record<string, string>> }
  | { readonly do: "watch"; readonly path: string; readonly query: Readonly<Record<string, string>> }
  | { readonly do: "wait"; readonly millis: number };

/** What is reflected. */
export interface ReflectionOptions {
  /** `/apis/GROUP/VERSION/PLURAL`; of several (versions of one resource) the first that the server knows. */
  readonly paths: readonly [string, ...string[]];
  /** Selectors. */
  readonly query?: Readonly<Record<string, string>>;
  /** Objects of one page. */
  readonly pageSize?: number;
  /** Yields numbers from 0 up to 1. */
  readonly random: () => number;
}

/** Objects of one page unless the caller says otherwise; as client-go. */
const defaultPageSize = 500;
/** Waits after failures, in milliseconds. */
const waits = { first: 500, longest: 30_000 };
/** Until a resource that the server does not know is asked for again, in milliseconds. */
const absentWait = 10_000;
/** Before objects count as gone because the server does not know their resource any more, in milliseconds. */
const confirmWait = 1000;
/** Watches that may fail in a row before everything is listed anew. */
const mostWatchFailures = 5;
/** A watch ends after so many seconds, up to twice as many: as client-go, so that servers can balance. */
const watchSeconds = 300;

/** List and watch of one resource as a state machine: do what `next` says, tell what came of it, ask again. */
export class Reflection {
  readonly #options: ReflectionOptions;
  readonly #handlers: ListHandlers;
  readonly #listBackOff: BackOff;
  /** Only events show that a watch works: lists that succeed between watches that do not must not make it go in circles. */
  readonly #watchBackOff: BackOff;
  /** resourceVersion of all that was told, by `namespace/name`; "" where it is to be told anew. */
  readonly #known = new Map<string, string>();
  #phase: "list" | "watch" = "list";
  #path = 0;
  #continue = "";
  #isPaged = true;
  /** What the list has brought so far; absent before its first page. */
  #seen: Set<string> | undefined;
  #resourceVersion = "";
  #wait = 0;
  #isConfirmed = false;
  #hasProgress = false;

  constructor(options: ReflectionOptions, handlers: ListHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#listBackOff = new BackOff(waits, options.random);
    this.#watchBackOff = new BackOff(waits, options.random);
  }

  /** Failures in a row. */
  get failures(): number {
    return Math.max(this.#listBackOff.failures, this.#watchBackOff.failures);
  }

  /**
   * Whatever was told may be something else now although its version is the same: all of it is listed and told anew. An answer that is
   * still to come belongs to what was before, and must not be taken in.
   */
  refresh(): void {
    for (const key of this.#known.keys()) this.#known.set(key, "");
    this.#wait = 0;
    this.#restartList();
  }

  /** What to do next. */
  next(): ReflectionStep {
    if (this.#wait > 0) {
      const millis = this.#wait;
      this.#wait = 0;
      return { do: "wait", millis };
    }
    const path = this.#options.paths[this.#path] ?? this.#options.paths[0];
    return { do: this.#phase, path, query: this.#phase === "list" ? this.#toListQuery() : this.#toWatchQuery() };
  }

  /** Takes in the answer to a list. */
  takePage(page: Readonly<Record<string, unknown>>): void {
    if (this.#seen === undefined) this.#handlers.onListing?.();
    const seen = (this.#seen ??= new Set());
    const kind = typeof page["kind"] === "string" ? page["kind"].replace(/List$/, "") : "";
    for (const item of Array.isArray(page["items"]) ? page["items"] : [])
      this.#takeItem(item, kind, page["apiVersion"]);
    const metadata = isRecord(page["metadata"]) ? page["metadata"] : {};
    this.#continue = toText(metadata["continue"]);
    if (this.#continue !== "") return;
    for (const key of this.#known.keys()) if (!seen.has(key)) this.#remove(key);
    this.#resourceVersion = toText(metadata["resourceVersion"]);
    this.#endList("watch");
  }

  /** Takes in that a list failed. */
  failList(failure: ApiFailure): void {
    if (isExpired(failure) && this.#isPaged) {
      // The snapshot that the pages are of is gone: whole lists cannot outlive theirs.
      this.#isPaged = false;
      this.#restartList();
      return;
    }
    if (failure.status === 404) this.#failUnknown();
    else {
      this.#wait = this.#listBackOff.fail(failure.retryAfter);
      if (isExpired(failure)) this.#restartList();
    }
  }

  /** Takes in an event of the watch. */
  takeEvent(event: ApiEvent): ApiFailure | undefined {
    if (this.#phase !== "watch") return undefined;
    if (event.type === "ERROR") {
      const failure = toEventFailure(this.#options.paths[this.#path] ?? "", event.object);
      if (isExpired(failure)) this.#restartList();
      return failure;
    }
    const { metadata } = event.object;
    const version = isRecord(metadata) ? toText(metadata["resourceVersion"]) : "";
    if (version !== "") this.#resourceVersion = version;
    if (event.type !== "BOOKMARK") this.#takeChange(event);
    this.#hasProgress = true;
    this.#watchBackOff.reset();
    return undefined;
  }

  /** Takes in that the watch is over, because it failed or because its time had come. */
  endWatch(failure?: ApiFailure): void {
    const hadProgress = this.#hasProgress;
    this.#hasProgress = false;
    if (failure === undefined && hadProgress) return;
    if (failure !== undefined && (isExpired(failure) || failure.status === 404)) this.#restartList();
    const wait = this.#watchBackOff.fail(failure?.retryAfter);
    // The first new list is for now: a watch that fell behind is nobody's fault.
    if (this.#phase === "list" && this.#watchBackOff.failures === 1) return;
    this.#wait = wait;
    if (this.#watchBackOff.failures % mostWatchFailures === 0) this.#restartList();
  }

  #toListQuery(): Record<string, string> {
    const query = { ...this.#options.query };
    if (this.#isPaged) query["limit"] = String(this.#options.pageSize ?? defaultPageSize);
    if (this.#continue !== "") query["continue"] = this.#continue;
    return query;
  }

  #toWatchQuery(): Record<string, string> {
    const seconds = Math.round(watchSeconds * (1 + this.#options.random()));
    return {
      ...this.#options.query,
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: this.#resourceVersion,
      timeoutSeconds: String(seconds),
    };
  }

  #restartList(): void {
    this.#phase = "list";
    this.#continue = "";
    this.#seen = undefined;
  }

  #endList(phase: "list" | "watch"): void {
    this.#restartList();
    this.#phase = phase;
    this.#isPaged = true;
    this.#isConfirmed = false;
    this.#hasProgress = false;
    this.#listBackOff.reset();
    this.#handlers.onListed?.();
  }

  /** The server does not know the resource, under this path at least. */
  #failUnknown(): void {
    this.#restartList();
    if (this.#path + 1 < this.#options.paths.length) {
      this.#path++;
      return;
    }
    this.#path = 0;
    if (this.#known.size > 0 && !this.#isConfirmed) {
      // All objects are at stake: a server that is only just starting must not empty everything.
      this.#isConfirmed = true;
      this.#wait = confirmWait;
      return;
    }
    for (const key of this.#known.keys()) this.#remove(key);
    this.#wait = Math.round(absentWait * (1 + this.#options.random() / 2));
    this.#endList("list");
  }

  #takeItem(item: unknown, kind: string, apiVersion: unknown): void {
    if (!isRecord(item)) return;
    // Lists of built-in kinds leave out what all their items are.
    item["kind"] ??= kind;
    item["apiVersion"] ??= apiVersion;
    const key = this.#take(item);
    if (key !== undefined) this.#seen?.add(key);
  }

  #takeChange({ type, object }: ApiEvent): void {
    if (type !== "DELETED") this.#take({ ...object });
    else {
      const key = toKey(object);
      if (key !== undefined && this.#known.has(key)) this.#remove(key);
    }
  }

  #take(object: RawObject): string | undefined {
    const key = toKey(object);
    const { metadata } = object;
    if (key === undefined || !isRecord(metadata)) return undefined;
    const version = toText(metadata["resourceVersion"]);
    if (version !== "" && this.#known.get(key) === version) return key;
    this.#known.set(key, version);
    delete metadata["managedFields"];
    this.#handlers.onObject(object, toName(key));
    return key;
  }

  #remove(key: string): void {
    this.#known.delete(key);
    this.#handlers.onDelete(toName(key));
  }
}

/** Whether what was asked for is too long ago for the server to know. */
function isExpired({ status, reason }: ApiFailure): boolean {
  return status === 410 || reason === "Expired" || reason === "Gone";
}

function toKey({ metadata }: Readonly<Record<string, unknown>>): string | undefined {
  if (!isRecord(metadata) || typeof metadata["name"] !== "string") return undefined;
  return `${toText(metadata["namespace"])}/${metadata["name"]}`;
}

function toName(key: string): ObjectName {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
