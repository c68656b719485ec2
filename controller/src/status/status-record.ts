/** What the writer knows of the status of one object, and what it should do about it next: pure, the clock is an argument. */
import { isDeepStrictEqual } from "node:util";
import type { ObjectRef } from "@sallyport/model/problem";
import { isRecord } from "../kube/field-path.ts";
import type { JsonObject } from "../kube/json.ts";
import type { LiveStatus } from "./live-status.ts";
import { mergeStatus, type StatusMerge, withdrawStatus } from "./merge-status.ts";

/** Why a record waits. What was refused, or fought about, may go on when it changes; trouble of the server is waited out. */
export interface Hold {
  readonly until: number;
  readonly why: "trouble" | "refused" | "rival";
}

/** One object whose status we write, or wrote. */
export interface StatusRecord {
  readonly ref: ObjectRef;
  /** Among records. */
  readonly key: string;
  /** Until nothing of the object is our business any more. */
  isKept: boolean;
  /** The status wanted; undefined where the object is not ours any more. */
  wanted: JsonObject | undefined;
  /** The very value that `wanted` was taken over from, or one that says the same: most of what is wanted is what it was. */
  source: unknown;
  /** `wanted` as text, by which it is compared. */
  wantedText: string;
  /** Milliseconds since 1970: since when something is to be written; undefined while nothing is. */
  since: number | undefined;
  /** What we wrote last, to take back. */
  written: JsonObject | undefined;
  /** `wantedText` of the last write. */
  writtenText: string;
  /** What the API server still lacked after the last write: it keeps no such fields. */
  residue: JsonObject | undefined;
  /** Our last write as the server answered it, until the world has caught up with `over`. */
  answer: LiveStatus | undefined;
  /** Versions of the object that our writes went over. */
  readonly over: Set<string>;
  /** A version that is known to be out of date. */
  stale: string | undefined;
  hold: Hold | undefined;
  /** Failures in a row. */
  failures: number;
  /** How often what we wrote was gone again. */
  overwritten: number;
  state: "idle" | "ready" | "writing";
  /** The object that had what was wanted when it was looked at last: until one of both is another, there is nothing to do. */
  settledFor: object | undefined;
}

/** A record of an object nothing is known about yet. */
export function newRecord(ref: ObjectRef, key: string): StatusRecord {
  return {
    ref,
    key,
    isKept: true,
    wanted: undefined,
    source: undefined,
    wantedText: "",
    since: undefined,
    written: undefined,
    writtenText: "",
    residue: undefined,
    answer: undefined,
    over: new Set(),
    stale: undefined,
    hold: undefined,
    failures: 0,
    overwritten: 0,
    state: "idle",
    settledFor: undefined,
  };
}

/** Takes over what is wanted now. */
export function want(record: StatusRecord, wanted: JsonObject | undefined): void {
  if (record.source === wanted) return;
  record.source = wanted;
  const text = wanted === undefined ? "" : JSON.stringify(wanted);
  if (text === record.wantedText) return;
  record.wanted = wanted;
  record.wantedText = text;
  record.settledFor = undefined;
  record.overwritten = 0;
  if (record.hold?.why !== "trouble") record.hold = undefined;
}

/** What to do: nothing for all is as wanted, wait for a newer object, look again at a time, or write. */
export type Decision =
  | { readonly kind: "settled" }
  | { readonly kind: "wait" }
  | { readonly kind: "later"; readonly at: number }
  | { readonly kind: "write"; readonly patch: JsonObject; readonly base: LiveStatus };

/** Decides by the object as the world has it. */
export function decide(record: StatusRecord, seen: LiveStatus, merge: StatusMerge, now: number): Decision {
  const base = chooseBase(record, seen);
  if (base.resourceVersion === record.stale || isOutdated(record.wanted, base.generation)) return { kind: "wait" };
  const patch = toPatch(record, base, merge);
  if (patch === undefined || isResidue(record, patch)) {
    record.since = undefined;
    return { kind: "settled" };
  }
  record.since ??= now;
  if (record.hold !== undefined && record.hold.until > now) return { kind: "later", at: record.hold.until };
  record.hold = undefined;
  return { kind: "write", patch, base };
}

/** The world lags behind our own writes: until it shows the last of them, the server's answer is what is live. */
function chooseBase(record: StatusRecord, seen: LiveStatus): LiveStatus {
  if (record.answer !== undefined && record.over.has(seen.resourceVersion)) return record.answer;
  record.answer = undefined;
  record.over.clear();
  return seen;
}

function toPatch(record: StatusRecord, base: LiveStatus, merge: StatusMerge): JsonObject | undefined {
  const { kind } = record.ref;
  return record.wanted === undefined
    ? withdrawStatus(kind, base.status, record.written, merge)
    : mergeStatus(kind, base.status, record.wanted, merge);
}

function isResidue(record: StatusRecord, patch: JsonObject): boolean {
  return (
    record.residue !== undefined &&
    record.writtenText === record.wantedText &&
    isDeepStrictEqual(Object.keys(patch).toSorted(), Object.keys(record.residue).toSorted()) &&
    isDeepStrictEqual(patch, record.residue)
  );
}

/** A status that was drawn from an older object would tell its reader that the newer one has been looked at. */
function isOutdated(wanted: unknown, generation: number): boolean {
  const observed = findGeneration(wanted);
  return observed !== undefined && observed < generation;
}

function findGeneration(value: unknown): number | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = findGeneration(item);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const own = value["observedGeneration"];
  if (typeof own === "number") return own;
  return findGeneration(Object.values(value).filter((inner) => typeof inner === "object"));
}

/** Lets this many writes pass before it takes another controller for a rival. */
const PATIENCE = 3;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 300_000;

/** Notes a write that succeeded; true where it looks as if somebody else wrote over the last one, again and again. */
export function noteWritten(
  record: StatusRecord,
  { base, answer, wantedText }: { readonly base: LiveStatus; readonly answer: LiveStatus; readonly wantedText: string },
  now: number,
): boolean {
  const isRepetition = record.writtenText === wantedText && wantedText !== "";
  record.overwritten = isRepetition ? record.overwritten + 1 : 0;
  record.over.add(base.resourceVersion);
  record.answer = answer;
  record.failures = 0;
  record.since = undefined;
  record.writtenText = wantedText;
  if (record.overwritten < PATIENCE) return false;
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (record.overwritten - PATIENCE));
  record.hold = { until: now + pause, why: "rival" };
  return true;
}

const FIRST_RETRY = 250;
const LONGEST_RETRY = 30_000;
const REFUSAL_RETRY = 60_000;

/** Notes that the server failed (it is tried again, less and less often), or refused (which will not change by itself). */
export function noteFailure(record: StatusRecord, why: "trouble" | "refused", now: number): void {
  const pause = why === "refused" ? REFUSAL_RETRY : Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** record.failures);
  record.failures += 1;
  record.hold = { until: now + pause, why };
}
