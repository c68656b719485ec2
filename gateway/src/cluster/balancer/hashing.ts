/**
 * Consistent hashing: requests with the same hash go to the same endpoint, as long as it serves, whichever proxy they come to. The next ones
 * of a selection are those that follow in the table, so that what does not go to the first goes to the same other one.
 */
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { mix32 } from "../../session/text-hash.ts";
import type { HashingConfig, TableMember } from "./hash-table.ts";
import type { SharedTable, TableOrder, TableShelf } from "./table-shelf.ts";

/** Places of the table looked at for one endpoint, on average, before the rest is given in the order of labels. */
const STEPS_AN_ENDPOINT = 16;

/**
 * A balancer with a table. While a new table is made the one before is used, as far as its endpoints are still there; without one
 * the hash chooses among all.
 */
export class HashingBalancer<T extends BalancedEndpoint> implements Balancer<T> {
  readonly #config: HashingConfig;
  readonly #shelf: TableShelf;
  /** As in the table, then those it does not know. */
  #endpoints: T[] = [];
  /** What a table was asked of, in the order in which they came. */
  #members: readonly TableMember[] = [];
  /** In use. */
  #shared: SharedTable | undefined = undefined;
  /** To be used once it is made. */
  #order: TableOrder | undefined = undefined;
  #isClosed = false;
  /** Of each member of the table in use: its index in #endpoints, or -1. */
  #indices = new Int32Array(0);
  /** Of each endpoint: the last selection that had it. */
  #seen = new Uint32Array(0);
  #selection = 0;
  #place = 0;
  #steps = 0;
  #start = 0;
  #rest = 0;

  constructor(config: HashingConfig, shelf: TableShelf) {
    this.#config = config;
    this.#shelf = shelf;
  }

  update(endpoints: readonly T[], _random: () => number, members: readonly T[] = endpoints): void {
    if (!this.#isClosed && !areSame(members, this.#members)) {
      this.#members = members.map(({ label, weight }) => ({ label, weight }));
      if (this.#members.length === 0) this.#forget();
      // One that is being made is finished: where changes come faster than tables are made, there would never be one.
      else if (this.#order === undefined) this.#ask();
    }
    this.#connect(endpoints);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    if (this.#shared !== undefined) this.#shelf.giveBack(this.#shared);
  }

  reweigh(): void {
    // no slow start here: keys would move all the while
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
    const table = this.#shared?.table;
    this.#place = table?.find(mixed) ?? 0;
    this.#steps = table === undefined ? 0 : Math.min(table.owners.length, STEPS_AN_ENDPOINT * (size + 4));
    this.#start = mixed % size;
    this.#rest = size;
    return this.next();
  }

  next(): T | undefined {
    const owners = this.#shared?.table?.owners;
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

  #ask(): void {
    const members = this.#members;
    const onMade = (shared: SharedTable): void => {
      this.#order = undefined;
      this.#use(shared);
      if (members !== this.#members) this.#ask();
    };
    this.#order = { config: this.#config, members, replaced: this.#shared, onMade };
    this.#shelf.order(this.#order);
  }

  #cancel(): void {
    if (this.#order !== undefined) this.#shelf.cancel(this.#order);
    this.#order = undefined;
  }

  #forget(): void {
    this.#cancel();
    this.#use(undefined);
  }

  /** From now on this table is used. */
  #use(shared: SharedTable | undefined): void {
    const before = this.#shared;
    this.#shared = shared;
    if (before !== undefined) this.#shelf.giveBack(before);
    this.#connect(this.#endpoints);
  }

  /** Finds the endpoints of today in the table in use. A selection that was begun is over. */
  #connect(endpoints: readonly T[]): void {
    const left = new Map<string, T>();
    for (const endpoint of endpoints) left.set(endpoint.label, endpoint);
    const members = this.#shared?.members ?? [];
    const indices = new Int32Array(members.length).fill(-1);
    const ordered: T[] = [];
    for (const [member, { label }] of members.entries()) {
      const endpoint = left.get(label);
      if (endpoint === undefined) continue;
      left.delete(label);
      indices[member] = ordered.length;
      ordered.push(endpoint);
    }
    for (const endpoint of left.values()) ordered.push(endpoint);
    this.#endpoints = ordered;
    this.#indices = indices;
    this.#seen = new Uint32Array(ordered.length);
    this.#selection = 0;
    this.#steps = 0;
    this.#rest = 0;
  }
}

/** Also the order: where that alone is another, the table that there is will be found. */
function areSame(some: readonly TableMember[], others: readonly TableMember[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ label, weight }, index) => label === others[index]?.label && weight === others[index]?.weight)
  );
}
