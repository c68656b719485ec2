/**
 * The matches of one host on one listener, found by path: exact paths, then patterns, then prefixes from the longest (the
 * order of precedence.ts). An index is immutable; a PathIndexEdit makes the next one, copying only what it touches.
 */
import { type Candidate, type Candidates, findAccepting, insertCandidate, removeCandidate } from "./candidate.ts";
import type { RouteInput, RouteResult } from "./contract.ts";
import { PrefixTable } from "./prefix-table.ts";

interface PathIndexParts {
  readonly exact: ReadonlyMap<string, Candidates>;
  readonly patterns: Candidates;
  readonly prefixes: PrefixTable;
}

/** Finds the match that wins a request. */
export class PathIndex {
  readonly parts: PathIndexParts;
  // What is not there is undefined rather than empty: among thousands of hosts every look at an object is a cache miss.
  readonly #exact: ReadonlyMap<string, Candidates> | undefined;
  readonly #patterns: Candidates | undefined;
  readonly #prefixes: PrefixTable | undefined;

  constructor(parts: PathIndexParts) {
    this.parts = parts;
    this.#exact = parts.exact.size > 0 ? parts.exact : undefined;
    this.#patterns = parts.patterns.length > 0 ? parts.patterns : undefined;
    this.#prefixes = parts.prefixes.isEmpty ? undefined : parts.prefixes;
  }

  /**
   * Of a CONNECT, which has no path (RFC 9110 section 9.3.6): only what asks for no path and names the method, for it opens a
   * tunnel through whatever else is configured.
   */
  findConnect(input: RouteInput): RouteResult | undefined {
    const named = this.parts.prefixes.get("")?.filter(({ rank }) => rank.hasMethod);
    return named === undefined ? undefined : findAccepting(named, input);
  }

  find(input: RouteInput): RouteResult | undefined {
    if (this.#exact !== undefined) {
      const candidates = this.#exact.get(input.routePath);
      const found = candidates === undefined ? undefined : findAccepting(candidates, input);
      if (found !== undefined) return found;
    }
    if (this.#patterns !== undefined) {
      const found = findPattern(this.#patterns, input);
      if (found !== undefined) return found;
    }
    return this.#prefixes?.find(input);
  }
}

function findPattern(patterns: Candidates, input: RouteInput): RouteResult | undefined {
  for (const candidate of patterns) {
    // The other conditions are cheaper than the expression.
    if (candidate.accepts !== undefined && !candidate.accepts(input)) continue;
    if (candidate.matchesPath?.(input.routePath) === true) return candidate.result;
  }
  return undefined;
}

/** Makes an index from another one, which stays as it is. */
export class PathIndexEdit {
  readonly #base: PathIndexParts;
  #exact: Map<string, Candidates> | undefined;
  #patterns: Candidate[] | undefined;
  #prefixes: PrefixTable | undefined;
  /** Lists made by this edit, which it may therefore change. */
  readonly #own = new Set<Candidates>();

  constructor(base: PathIndex | undefined) {
    this.#base = base?.parts ?? { exact: new Map(), patterns: [], prefixes: PrefixTable.empty() };
  }

  add(candidate: Candidate): void {
    this.#change(candidate, insertCandidate);
  }

  /** The candidate must be in the index. */
  remove(candidate: Candidate): void {
    this.#change(candidate, removeCandidate);
  }

  /** The index with all changes; undefined where nothing is left in it. The edit must not be used afterwards. */
  finish(): PathIndex | undefined {
    const parts = {
      exact: this.#exact ?? this.#base.exact,
      patterns: this.#patterns ?? this.#base.patterns,
      prefixes: this.#prefixes ?? this.#base.prefixes,
    };
    if (parts.exact.size === 0 && parts.patterns.length === 0 && parts.prefixes.isEmpty) return undefined;
    return new PathIndex(parts);
  }

  #change(candidate: Candidate, change: (candidates: Candidate[], candidate: Candidate) => void): void {
    switch (candidate.rank.pathKind) {
      case "exact": {
        this.#exact ??= new Map(this.#base.exact);
        const changed = this.#toChanged(this.#exact.get(candidate.path), candidate, change);
        if (changed.length === 0) this.#exact.delete(candidate.path);
        else this.#exact.set(candidate.path, changed);
        break;
      }
      case "regex":
        this.#patterns ??= [...this.#base.patterns];
        change(this.#patterns, candidate);
        break;
      case "prefix":
        this.#prefixes ??= this.#base.prefixes.copy();
        this.#prefixes.set(candidate.path, this.#toChanged(this.#prefixes.get(candidate.path), candidate, change));
        break;
    }
  }

  #toChanged(
    candidates: Candidates | undefined,
    candidate: Candidate,
    change: (candidates: Candidate[], candidate: Candidate) => void,
  ): Candidates {
    const list = candidates ?? [];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by this edit, seen by nobody else yet
    const own = this.#own.has(list) ? (list as Candidate[]) : [...list];
    change(own, candidate);
    this.#own.add(own);
    return own;
  }
}
