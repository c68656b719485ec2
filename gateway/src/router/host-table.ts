/**
 * Finds what belongs to a host name: the exact name, else the longest wildcard (`*.example.com`: one label or more), else
 * what belongs to all hosts (`*`). Nothing is allocated per look-up.
 */
import { extendHash } from "./text-hash.ts";

interface Wildcard<T> {
  /** With its leading dot. */
  readonly suffix: string;
  readonly value: T;
  readonly next: Wildcard<T> | undefined;
}

/** An immutable table; `names` must not change afterwards. */
export class HostTable<T> {
  readonly #names: ReadonlyMap<string, T>;
  readonly #wildcards = new Map<number, Wildcard<T>>();
  readonly #any: T | undefined;
  #longest = 0;

  /** Names are lower case; keys `*.suffix` and `*` are wildcards. */
  constructor(names: ReadonlyMap<string, T>) {
    this.#names = names;
    this.#any = names.get("*");
    for (const [name, value] of names) if (name.startsWith("*.")) this.#addWildcard(name.slice(1), value);
  }

  /** What belongs to a host (lower case, without port). */
  find(host: string): T | undefined {
    const exact = this.#names.get(host);
    if (exact !== undefined) return exact;
    return this.#wildcards.size > 0 ? (this.#findWildcard(host) ?? this.#any) : this.#any;
  }

  #addWildcard(suffix: string, value: T): void {
    const hash = hashSuffix(suffix);
    this.#wildcards.set(hash, { suffix, value, next: this.#wildcards.get(hash) });
    this.#longest = Math.max(this.#longest, suffix.length);
  }

  /** From the last label to the first: the last suffix found is the longest. A wildcard never matches an empty label. */
  #findWildcard(host: string): T | undefined {
    const first = Math.max(1, host.length - this.#longest);
    let found: T | undefined;
    let hash = 0;
    for (let at = host.length - 1; at >= first; at--) {
      const character = host.charCodeAt(at);
      hash = extendHash(hash, character);
      if (character !== 0x2e) continue;
      let wildcard = this.#wildcards.get(hash);
      while (wildcard !== undefined) {
        if (wildcard.suffix.length === host.length - at && host.endsWith(wildcard.suffix)) found = wildcard.value;
        wildcard = wildcard.next;
      }
    }
    return found;
  }
}

function hashSuffix(suffix: string): number {
  let hash = 0;
  for (let at = suffix.length - 1; at >= 0; at--) hash = extendHash(hash, suffix.charCodeAt(at));
  return hash;
}
