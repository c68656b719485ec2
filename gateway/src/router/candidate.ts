/** A match that may win a request on one listener: the unit the path index orders and finds. */
import type { AcceptRequest } from "./conditions.ts";
import type { RouteInput, RouteResult } from "./contract.ts";
import type { MatchText } from "./pattern.ts";
import { compareMatchRanks, type MatchRank } from "./precedence.ts";

/** One match of one rule on one listener. */
export interface Candidate {
  readonly rank: MatchRank;
  /** Exact path, or prefix without trailing slashes, or pattern. */
  readonly path: string;
  /** Of a pattern: whether a path matches it. */
  readonly matchesPath: MatchText | undefined;
  /** The other conditions; undefined where there are none. */
  readonly accepts: AcceptRequest | undefined;
  readonly result: RouteResult;
}

/** Candidates of one path, best first. */
export type Candidates = readonly Candidate[];

/** The result of the first candidate whose conditions hold. */
export function findAccepting(candidates: Candidates, input: RouteInput): RouteResult | undefined {
  for (const candidate of candidates) {
    if (candidate.accepts === undefined || candidate.accepts(input)) return candidate.result;
  }
  return undefined;
}

/** The result of the first candidate where its conditions cannot fail, so that finding it takes no look at it. */
export function toCertainResult(candidates: Candidates): RouteResult | undefined {
  const [first] = candidates;
  return first?.accepts === undefined ? first?.result : undefined;
}

/** Puts a candidate in its place. */
export function insertCandidate(candidates: Candidate[], candidate: Candidate): void {
  let low = 0;
  let high = candidates.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = candidates[middle];
    if (other !== undefined && compareMatchRanks(other.rank, candidate.rank) < 0) low = middle + 1;
    else high = middle;
  }
  candidates.splice(low, 0, candidate);
}

/** Takes a candidate out; it must be there. */
export function removeCandidate(candidates: Candidate[], candidate: Candidate): void {
  candidates.splice(candidates.indexOf(candidate), 1);
}
