/**
 * Finds the prefixes of a path among many, longest first and by whole path elements (`/a` covers `/a` and `/a/b`, not
 * `/ab`), in one pass over the path. Nothing is allocated per look-up.
 */
import { type Candidates, findAccepting, toCertainResult } from "./candidate.ts";
import type { RouteInput, RouteResult } from "./contract.ts";
import { extendHash } from "./text-hash.ts";

interface Bucket {
  readonly prefix: string;
  readonly length: number;
  /** Of the first candidate, if that is certain. */
  readonly certain: RouteResult | undefined;
  readonly candidates: Candidates;
  readonly next: Bucket | undefined;
}

/** Prefixes that cover the path in hand, shortest first. Shared: a look-up never starts another. */
const covering: Bucket[] = [];

/** Prefixes with their candidates. Edited only through a copy, before it is shared. */
export class PrefixTable {
  readonly #buckets: Map<number, Bucket>;
  #longest: number;
  /** The bucket of "", which covers every path. */
  #root: Bucket | undefined;

  private constructor(buckets: Map<number, Bucket>, longest: number) {
    this.#buckets = buckets;
    this.#longest = longest;
    this.#root = findRoot(buckets);
  }

  /** A table without prefixes. */
  static empty(): PrefixTable {
    return new PrefixTable(new Map(), 0);
  }

  /** A table that can be edited while this one is in use. */
  copy(): PrefixTable {
    return new PrefixTable(new Map(this.#buckets), this.#longest);
  }

  /** The candidates of a prefix (without trailing slash; "" for all paths). */
  get(prefix: string): Candidates | undefined {
    let bucket = this.#buckets.get(hashPrefix(prefix));
    while (bucket !== undefined && bucket.prefix !== prefix) bucket = bucket.next;
    return bucket?.candidates;
  }

  /** Replaces the candidates of a prefix; an empty list takes the prefix out. */
  set(prefix: string, candidates: Candidates): void {
    const hash = hashPrefix(prefix);
    let chain: Bucket | undefined;
    for (let bucket = this.#buckets.get(hash); bucket !== undefined; bucket = bucket.next) {
      if (bucket.prefix !== prefix) chain = { ...bucket, next: chain };
    }
    if (candidates.length > 0) chain = toBucket(prefix, candidates, chain);
    if (chain === undefined) this.#buckets.delete(hash);
    else this.#buckets.set(hash, chain);
    this.#longest = Math.max(this.#longest, prefix.length);
    if (hash === 0) this.#root = findRoot(this.#buckets);
  }

  get isEmpty(): boolean {
    return this.#buckets.size === 0;
  }

  /** The result of the longest prefix with a candidate that accepts the request. */
  find(input: RouteInput): RouteResult | undefined {
    const path = input.routePath;
    // `OPTIONS *` is under no prefix, not even `/`.
    if (path.charCodeAt(0) !== 0x2f) return undefined;
    let count = this.#collectCovering(path);
    while (count > 0) {
      const bucket = covering[--count];
      if (bucket === undefined) continue;
      const found = bucket.certain ?? findAccepting(bucket.candidates, input);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #collectCovering(path: string): number {
    let count = 0;
    // most hosts have either this one prefix or none of it: not worth a look into the map
    if (this.#root !== undefined) covering[count++] = this.#root;
    const end = Math.min(path.length, this.#longest);
    let hash = extendHash(0, 0x2f);
    for (let at = 1; at <= end; at++) {
      const character = at === path.length ? 0x2f : path.charCodeAt(at);
      if (character === 0x2f) count = this.#collect(path, { hash, length: at, count });
      hash = extendHash(hash, character);
    }
    return count;
  }

  /** Notes the prefix that is so long and has this hash, if there is one. */
  #collect(path: string, { hash, length, count }: { hash: number; length: number; count: number }): number {
    let bucket = this.#buckets.get(hash);
    while (bucket !== undefined) {
      if (bucket.length === length && path.startsWith(bucket.prefix)) {
        covering[count] = bucket;
        return count + 1;
      }
      bucket = bucket.next;
    }
    return count;
  }
}

function findRoot(buckets: ReadonlyMap<number, Bucket>): Bucket | undefined {
  let bucket = buckets.get(0);
  while (bucket !== undefined && bucket.length > 0) bucket = bucket.next;
  return bucket;
}

function toBucket(prefix: string, candidates: Candidates, next: Bucket | undefined): Bucket {
  return { prefix, length: prefix.length, certain: toCertainResult(candidates), candidates, next };
}

function hashPrefix(prefix: string): number {
  let hash = 0;
  for (let at = 0; at < prefix.length; at++) hash = extendHash(hash, prefix.charCodeAt(at));
  return hash;
}
