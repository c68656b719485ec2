/**
 * Brings the statuses of all objects to what translation says, with as few writes as that takes. The newest wish for an object
 * is the one that counts; it is compared with the live object just before it is sent, and sent with the version of that object,
 * so that nothing is ever written over what we have not seen.
 *
 * Writes are merge patches of the fields that we own, with the resourceVersion. PUT would send the whole object back: what this
 * program knows of it has been decoded, without the fields that a newer API has and we do not.
 */
import { setImmediate as onNextTurn } from "node:timers";
import type { ObjectRef } from "@sallyport/model/problem";
import { ApiFailure, type KubeApi } from "../api/contract.ts";
import { isKindName, type KindName } from "../kube/kinds.ts";
import type { StatusWriter } from "../run/contract.ts";
import type { ControllerLog } from "../run/log.ts";
import type { ObjectStatus } from "../translate/translator.ts";
import type { IndexedWorld } from "../world/indexed-world.ts";
import type { WorldObject } from "../world/world.ts";
import { FairQueue } from "./fair-queue.ts";
import { isRecord } from "../kube/field-path.ts";
import type { JsonObject } from "../kube/json.ts";
import { type LiveStatus, toAnswer, toKey, toLive, toText } from "./live-status.ts";
import { mergeStatus, type StatusMerge } from "./merge-status.ts";
import type { StatusObserver } from "./observer.ts";
import { FailureLog, judgeFailure } from "./status-failure.ts";
import { toStatusPath } from "./status-path.ts";
import { type Decision, decide, noteFailure, noteWritten } from "./status-record.ts";
import { newRecord, type StatusRecord, want } from "./status-record.ts";
import { StraySearch } from "./stray-search.ts";

/** What the writer works with. */
export interface StatusWriterOptions {
  readonly api: KubeApi;
  /** Entries of routes and policies that name it are ours. */
  readonly controllerName: string;
  readonly log: ControllerLog;
  readonly observer: StatusObserver;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Requests at a time: enough to write a thousand statuses in seconds, too few to crowd others out. */
const MOST_WRITES = 16;
/** Longest time, in milliseconds, that objects are looked at before watches have their turn. */
const SLICE = 4;
/** Who we are in managedFields. */
const FIELD_MANAGER = "sallyport-controller";

type Write = Extract<Decision, { readonly kind: "write" }>;

/** Writes statuses as long as it is open: for one term of a leader. */
export class ApiStatusWriter implements StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #records = new Map<string, StatusRecord>();
  readonly #failures: FailureLog;
  readonly #abort = new AbortController();
  #statuses: readonly ObjectStatus[] = [];
  readonly #recordByStatus = new WeakMap<ObjectStatus, StatusRecord>();
  readonly #strays: StraySearch;
  #world: IndexedWorld | undefined;
  /** Records to look at. */
  readonly #unseen = new Set<StatusRecord>();
  /** Records with something to write. */
  readonly #ready = new FairQueue<StatusRecord>();
  /** Numbers of the versions that the API server has, by kind; 0 where it is not known that it lacks the first. */
  readonly #versions = new Map<string, number>();
  #writes = 0;
  #isLooking = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log);
    this.#strays = new StraySearch(options.controllerName);
  }

  /** See StatusWriter. */
  write(statuses: readonly ObjectStatus[], world: IndexedWorld): void {
    if (this.#abort.signal.aborted) return;
    this.#world = world;
    // Where endpoints change nothing is to be said: neither of what is wanted nor of what there is anything is different.
    const isNews = statuses !== this.#statuses || this.#strays.isNews(world);
    if (!isNews) return;
    this.#statuses = statuses;
    const wanted = this.#takeWishes(statuses);
    for (const ref of this.#strays.search(world)) this.#recordOf(ref);
    for (const record of this.#records.values()) {
      if (!wanted.has(record)) want(record, undefined);
      const isSettled = record.settledFor !== undefined && record.settledFor === this.#find(record.ref);
      if (!isSettled) this.#unseen.add(record);
    }
    if (this.#unseen.size > 0) this.#look();
  }

  #takeWishes(statuses: readonly ObjectStatus[]): ReadonlySet<StatusRecord> {
    const wanted = new Set<StatusRecord>();
    for (const status of statuses) {
      const record = this.#recallRecord(status);
      if (!isRecord(status.status) || wanted.has(record)) continue;
      wanted.add(record);
      want(record, status.status);
    }
    return wanted;
  }

  /** Objects that are to be looked at or written, and do not wait for anything. */
  get pending(): number {
    return this.#unseen.size + this.#ready.size + this.#writes;
  }

  /** Stops at once; what is under way is given up. */
  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#unseen.clear();
    this.#ready.clear();
    this.#records.clear();
  }

  /** Translation gives what did not change as the very same value. */
  #recallRecord(status: ObjectStatus): StatusRecord {
    const known = this.#recordByStatus.get(status);
    if (known?.isKept === true) return known;
    const record = this.#recordOf(status.object);
    this.#recordByStatus.set(status, record);
    return record;
  }

  #recordOf(ref: ObjectRef): StatusRecord {
    const key = toKey(ref);
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const record = newRecord(ref, key);
    this.#records.set(key, record);
    return record;
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    onNextTurn(() => {
      this.#isLooking = false;
      const end = performance.now() + SLICE;
      for (const record of this.#unseen) {
        this.#unseen.delete(record);
        this.#consider(record);
        if (performance.now() > end) break;
      }
      this.#pump();
      if (this.#unseen.size > 0) this.#look();
    });
  }

  /** Whoever is being written is looked at again when that is done. */
  #consider(record: StatusRecord): void {
    if (record.state === "writing") return;
    const decision = this.#decide(record);
    if (decision.kind === "write") {
      record.state = "ready";
      this.#ready.add(record);
      return;
    }
    record.state = "idle";
    this.#ready.delete(record);
    if (decision.kind === "later") this.#lookAgain(decision.at);
  }

  #decide(record: StatusRecord): Decision {
    const object = this.#find(record.ref);
    if (object === undefined) {
      this.#drop(record);
      return { kind: "settled" };
    }
    const decision = decide(record, toLive(object), this.#mergeOf(record.ref), this.#options.now());
    record.settledFor = decision.kind === "settled" ? object : undefined;
    // Nothing of ours is left there, and nothing is wanted: it is none of our business any more.
    if (decision.kind === "settled" && record.wanted === undefined) this.#drop(record);
    return decision;
  }

  #drop(record: StatusRecord): void {
    this.#records.delete(record.key);
    record.isKept = false;
  }

  #pump(): void {
    while (this.#writes < MOST_WRITES) {
      const record = this.#ready.take();
      if (record === undefined) return;
      // The world may have moved on since.
      const decision = this.#decide(record);
      if (decision.kind === "write") void this.#send(record, decision);
      else this.#consider(record);
    }
  }

  async #send(record: StatusRecord, write: Write): Promise<void> {
    const path = toStatusPath(record.ref, this.#versions.get(record.ref.kind) ?? 0);
    if (path === undefined) return;
    record.state = "writing";
    this.#writes += 1;
    const { wanted, wantedText } = record;
    try {
      const answer = await this.#options.api.send({
        method: "PATCH",
        path,
        query: { fieldManager: FIELD_MANAGER },
        contentType: "application/merge-patch+json",
        body: { metadata: { resourceVersion: write.base.resourceVersion }, status: write.patch },
        signal: this.#abort.signal,
      });
      this.#succeed(record, { wanted, wantedText, write, answer: toAnswer(answer) });
    } catch (error) {
      this.#fail(record, write, error);
    }
    this.#writes -= 1;
    record.state = "idle";
    this.#unseen.add(record);
    this.#look();
  }

  #succeed(
    record: StatusRecord,
    sent: {
      readonly wanted: JsonObject | undefined;
      readonly wantedText: string;
      readonly write: Write;
      readonly answer: LiveStatus;
    },
  ): void {
    const { observer, log } = this.#options;
    const { kind } = record.ref;
    const now = this.#options.now();
    observer.written(kind, Math.max(0, now - (record.since ?? now)));
    const isRival = noteWritten(
      record,
      { base: sent.write.base, answer: sent.answer, wantedText: sent.wantedText },
      now,
    );
    this.#failures.forget(kind);
    record.written = sent.wanted;
    record.residue =
      sent.wanted === undefined
        ? undefined
        : mergeStatus(kind, sent.answer.status, sent.wanted, this.#mergeOf(record.ref));
    log.debug("status written", { object: toText(record.ref), fields: Object.keys(sent.write.patch) });
    if (record.residue !== undefined) this.#failures.tellResidue(toText(record.ref), Object.keys(record.residue));
    if (!isRival) return;
    observer.rivaled(kind);
    log.warn("another controller overwrites a status of ours: see managedFields of the object for who it is", {
      object: toText(record.ref),
      times: record.overwritten,
      "next write in s": Math.ceil(((record.hold?.until ?? now) - now) / 1000),
    });
  }

  #fail(record: StatusRecord, write: Write, error: unknown): void {
    if (this.#abort.signal.aborted) return;
    if (!(error instanceof ApiFailure)) throw error;
    const { kind } = record.ref;
    const meaning = judgeFailure(error);
    if (meaning === "conflict") {
      this.#options.observer.conflicted(kind);
      record.stale = write.base.resourceVersion;
      this.#options.log.debug("status not written: the object has changed", { object: toText(record.ref) });
      return;
    }
    this.#options.observer.failed(kind);
    this.#failures.note(kind, toText(record.ref), error);
    if (meaning === "version") this.#versions.set(kind, (this.#versions.get(kind) ?? 0) + 1);
    noteFailure(record, meaning === "refused" ? "refused" : "trouble", this.#options.now());
  }

  #lookAgain(at: number): void {
    if (at >= this.#timerAt && this.#timerAt > this.#options.now()) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        for (const each of this.#records.values()) if (each.hold !== undefined) this.#unseen.add(each);
        this.#look();
      },
      Math.max(0, at - this.#options.now()),
    );
    this.#timer.unref();
  }

  #mergeOf({ namespace }: ObjectRef): StatusMerge {
    // Times in conditions are in seconds, as metav1.Time has them.
    const now = `${new Date(this.#options.now()).toISOString().slice(0, 19)}Z`;
    return { controllerName: this.#options.controllerName, namespace, now };
  }

  #find({ kind, namespace, name }: ObjectRef): WorldObject<KindName> | undefined {
    return isKindName(kind) ? this.#world?.get(kind, namespace, name) : undefined;
  }
}
