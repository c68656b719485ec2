/**
 * Consistent hashing: requests with the same hash go to the same endpoint, as long as it serves, whichever proxy they come to. The next ones
 * of a selection are those that follow in the table, so that what does not go to the first goes to the same other one.
 */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { mix32 } from "./hash.ts";
import { type HashingConfig, type TableBuild, type TableMember, TableShelf } from "./hash-table.ts";
import { makeMaglev } from "./maglev.ts";
import { makeRing } from "./ring.ts";

const SHELF = new TableShelf();
/** Parts of a table that may be made before update() returns: those of a small one. */
const PARTS_AT_ONCE = 4;
/** Places of the table looked at for one endpoint, on average, before the rest is given in the order of labels. */
const STEPS_AN_ENDPOINT = 16;

/**
 * A balancer with a table. While a new table is made the one before is used, as far as its endpoints are still there; without one
 * the hash chooses among all.
 */
export class HashingBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #config: HashingConfig;
  /** By label. */
  #endpoints: readonly T[] = [];
  #members: readonly TableMember[] = [];
  /** In use. */
  #build: TableBuild | undefined = undefined;
  /** To be used once it is made. */
  #next: TableBuild | undefined = undefined;
  /** Of each member of the table in use: its index in #endpoints, or -1. */
  #indices = new Int32Array(0);
  /** Of each endpoint: the last selection that had it. */
  #seen = new Uint32Array(0);
  #selection = 0;
  #place = 0;
  #steps = 0;
  #start = 0;
  #rest = 0;

  constructor(config: HashingConfig) {
    this.#config = config;
  }

  update(endpoints: readonly T[], _random: () => number, members: readonly T[] = endpoints): void {
    this.#endpoints = endpoints.toSorted(byLabel);
    this.#seen = new Uint32Array(endpoints.length);
    this.#selection = 0;
    const sorted = members.map(({ label, weight }) => ({ label, weight })).sort(byLabel);
    if (!areSame(sorted, this.#members)) {
      this.#members = sorted;
      this.#next = sorted.length === 0 ? undefined : SHELF.take(this.#config, sorted, () => this.#make(sorted));
      for (let part = 0; part < PARTS_AT_ONCE && this.work(); part++);
    }
    this.#connect();
  }

  reweigh(): void {
    // no slow start here: keys would move all the while
  }

  work(): boolean {
    const next = this.#next;
    if (next === undefined) return false;
    if (next.work()) return true;
    this.#build = next;
    this.#next = undefined;
    this.#connect();
    return false;
  }

  first(random: () => number, hash?: number): T | undefined {
    const size = this.#endpoints.length;
    if (size === 0) return undefined;
    if (this.#selection === 0xffff_ffff) {
      this.#seen.fill(0);
      this.#selection = 0;
    }
    this.#selection++;
    const mixed = mix32(hash ?? random() * 0x1_0000_0000);
    const table = this.#build?.table;
    this.#place = table?.find(mixed) ?? 0;
    this.#steps = table === undefined ? 0 : Math.min(table.owners.length, STEPS_AN_ENDPOINT * (size + 4));
    this.#start = mixed % size;
    this.#rest = size;
    return this.next();
  }

  next(): T | undefined {
    const owners = this.#build?.table?.owners;
    while (owners !== undefined && this.#steps > 0) {
      this.#steps--;
      const index = this.#indices[owners[this.#place] ?? 0] ?? -1;
      this.#place = this.#place + 1 === owners.length ? 0 : this.#place + 1;
      if (index >= 0 && this.#isNew(index)) return this.#endpoints[index];
    }
    const size = this.#endpoints.length;
    while (this.#rest > 0) {
      const index = (this.#start + size - this.#rest--) % size;
      if (this.#isNew(index)) return this.#endpoints[index];
    }
    return undefined;
  }

  /** Whether this selection did not have it; from now on it has. */
  #isNew(index: number): boolean {
    if (this.#seen[index] === this.#selection) return false;
    this.#seen[index] = this.#selection;
    return true;
  }

  #make(members: readonly TableMember[]): ReturnType<typeof makeRing> {
    const config = this.#config;
    return config.kind === "maglev" ? makeMaglev(members, config.tableSize) : makeRing(members, config);
  }

  /** Finds the endpoints of today in the table in use. A selection that was begun goes on among all. */
  #connect(): void {
    this.#steps = 0;
    const indices = new Map(this.#endpoints.map(({ label }, index) => [label, index]));
    this.#indices = Int32Array.from(this.#build?.members ?? [], ({ label }) => indices.get(label) ?? -1);
  }
}

function byLabel(one: { readonly label: string }, other: { readonly label: string }): number {
  return one.label < other.label ? -1 : Number(one.label > other.label);
}

function areSame(some: readonly TableMember[], others: readonly TableMember[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ label, weight }, index) => label === others[index]?.label && weight === others[index]?.weight)
  );
}
