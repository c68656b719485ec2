/**
 * Keeps answers to addresses that may be other machines'. Whoever writes a name, or runs the server that answers for it, says where the
 * proxy connects, and may say something else a second later (DNS rebinding): so the answers are judged, each of them, and not the name. What
 * is kept is what is dialled, as nothing is looked up after this.
 */
import { findSpecialUse } from "@sallyport/model/special-use";
import type { ResolvedName, UnresolvedName } from "../contract.ts";
import type { LeftOutAddress } from "./left-out.ts";

/** What is kept of an answer. */
export interface JudgedAnswer {
  readonly answer: ResolvedName | UnresolvedName;
  /** Sorted. */
  readonly leftOut: readonly LeftOutAddress[];
}

const NONE: readonly LeftOutAddress[] = [];

/** Leaves nothing out. */
export function keepAll(answer: ResolvedName | UnresolvedName): JudgedAnswer {
  return { answer, leftOut: NONE };
}

/** Leaves addresses of special use out; an answer of nothing else is the word that there are none. */
export function keepRoutable(answer: ResolvedName | UnresolvedName): JudgedAnswer {
  if ("kind" in answer) return { answer, leftOut: NONE };
  const kept: string[] = [];
  const leftOut: LeftOutAddress[] = [];
  for (const address of answer.addresses.toSorted()) {
    const use = findSpecialUse(address);
    if (use === undefined) kept.push(address);
    else leftOut.push({ address, use });
  }
  const [first] = leftOut;
  if (kept.length > 0 || first === undefined) return { answer: { ...answer, addresses: kept }, leftOut };
  const detail = `${first.address} is no address for a backend in a cluster (${first.use})`;
  return { answer: { kind: "negative", detail }, leftOut };
}
