/** Hostnames, each with who has it, found by any hostname that shares a host with one of them. */
import { ANY_HOST } from "../hostname.ts";

/** Claimed hostnames; looking one up takes as many steps as it has labels. */
export class HostClaims {
  readonly #owners = new Map<string, string>();
  /** By wildcard: the owner of some claimed hostname below it. */
  readonly #below = new Map<string, string>();

  /** Notes who has a hostname; who had it first keeps it. */
  claim(hostname: string, owner: string): void {
    if (!this.#owners.has(hostname)) this.#owners.set(hostname, owner);
    for (const wildcard of wildcardsAbove(hostname)) {
      if (!this.#below.has(wildcard)) this.#below.set(wildcard, owner);
    }
  }

  /** An owner of a host that the hostname (exact, wildcard or `*`) covers; undefined where there is none. */
  find(hostname: string): string | undefined {
    const same = this.#owners.get(hostname) ?? this.#below.get(hostname);
    if (same !== undefined) return same;
    for (const wildcard of wildcardsAbove(hostname)) {
      const owner = this.#owners.get(wildcard);
      if (owner !== undefined) return owner;
    }
    return undefined;
  }
}

/** The wildcards that cover a hostname, narrow before wide, without itself. */
function wildcardsAbove(hostname: string): string[] {
  if (hostname === ANY_HOST) return [];
  const labels = hostname.split(".").slice(1);
  const first = hostname.startsWith("*.") ? 1 : 0;
  const wildcards = labels.slice(first).map((_, index) => `*.${labels.slice(first + index).join(".")}`);
  return [...wildcards, ANY_HOST];
}
