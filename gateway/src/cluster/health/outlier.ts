/**
 * Outlier detection without I/O: what outcomes of tries do to the words of an endpoint, whether it may be ejected, and for how long.
 * Time is an argument.
 *
 * A row of failures is one counter for all workers. An outcome that ends it stores 0, one that adds to it adds 1: so whoever finds
 * the threshold reached knows that there was an order of events with so many failures in a row. Nothing is counted while it is ejected:
 * what still comes is of requests that were on it before.
 */
import { TIME, WORD, type EndpointWords } from "../../observe/health-words.ts";
import type { Outcome, OutlierRule, OutlierRules } from "./outlier-rules.ts";

/** Counts an outcome. The rule whose row is long enough now; undefined: none is. */
export function countOutcome(words: EndpointWords, { counts, ends }: Outcome): OutlierRule | undefined {
  for (const word of ends) if (words.get(word) !== 0) words.set(word, 0);
  if (words.get(WORD.ejected) === 1) return undefined;
  let reached: OutlierRule | undefined = undefined;
  for (const rule of counts) if (words.increment(rule.word) >= rule.threshold) reached ??= rule;
  return reached;
}

/** An answer that is as it should be ends all rows. Nearly always there is none, and these loads are all it costs. */
export function endRows({ words, at }: EndpointWords): void {
  if (((words[at] ?? 0) | (words[at + 1] ?? 0) | (words[at + 2] ?? 0)) === 0) return;
  for (let word = at; word < at + 3; word++) if (words[word] !== 0) Atomics.store(words, word, 0);
}

/** Whether it is ejected, as its time says: nobody has to be there to take it back. */
export function isEjected(words: EndpointWords, now: number): boolean {
  return words.get(WORD.ejected) === 1 && words.time(TIME.ejectedUntil) > now;
}

/** What is known of a cluster when one of its endpoints is to be ejected. */
export interface Peers {
  /** Endpoints in place, this one included. */
  readonly all: number;
  readonly ejected: number;
}

/** How an attempt to eject ended: with a time in milliseconds; or it is `ejected` already, or too many others are. */
export type Ejection = { readonly kind: "ejected"; readonly time: number } | { readonly kind: "late" | "prevented" };

/**
 * Ejects an endpoint, if that is still due and its peers leave room for it. To be called under the lock of the table: peers are
 * counted before, and nobody else must eject one of them in between.
 */
export function eject(
  words: EndpointWords,
  rules: OutlierRules,
  due: { rule: OutlierRule; peers: Peers; now: number },
): Ejection {
  const { rule, peers, now } = due;
  if (isEjected(words, now) || words.get(rule.word) < rule.threshold) return { kind: "late" };
  if (!mayEject(peers, rules.maxEjectionPercent)) {
    // as in Envoy the row begins anew: so many failures from now on the peers may have become fewer
    words.set(rule.word, 0);
    return { kind: "prevented" };
  }
  const times = toTimes(words, rules, now);
  const { baseEjectionTime, maxEjectionTime } = rules;
  const time = Math.min(baseEjectionTime * times, Math.max(baseEjectionTime, maxEjectionTime));
  words.set(WORD.timesEjected, times);
  words.setTime(TIME.ejectedUntil, now + time);
  for (const word of [WORD.serverErrors, WORD.gatewayErrors, WORD.localErrors]) words.set(word, 0);
  // last: who dies before has done nothing
  words.set(WORD.ejected, 1);
  return { kind: "ejected", time };
}

/** Takes it back if its time is over; true for the one who did. */
export function takeBack(words: EndpointWords, now: number): boolean {
  if (words.get(WORD.ejected) === 0 || words.time(TIME.ejectedUntil) > now) return false;
  // before it is fit for others, who look at this
  words.setTime(TIME.fitSince, now);
  return words.swap(WORD.ejected, 1, 0);
}

/** One may always go where another is left; more than that, as far as the percentage goes. */
function mayEject({ all, ejected }: Peers, percent: number): boolean {
  if (ejected === 0 && all > 1) return true;
  return (ejected + 1) * 100 <= percent * all;
}

/**
 * How often it was ejected, this time included; each interval since the end of the last time took one off. What does not make it
 * longer is not counted, or it would take an hour of calm until somebody who failed for an hour is trusted again.
 */
function toTimes(
  words: EndpointWords,
  { interval, baseEjectionTime, maxEjectionTime }: OutlierRules,
  now: number,
): number {
  const before = words.get(WORD.timesEjected);
  const calm = Math.max(0, now - words.time(TIME.ejectedUntil));
  const forgotten = interval > 0 ? Math.floor(calm / interval) : before;
  const most = baseEjectionTime > 0 ? Math.ceil(maxEjectionTime / baseEjectionTime) : 1;
  return Math.min(Math.max(0, before - forgotten) + 1, Math.max(1, most));
}
