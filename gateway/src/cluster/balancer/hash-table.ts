/**
 * What consistent hashing looks endpoints up in. A table is made of labels and weights alone, so that all workers and processes have the
 * same. Making a large one takes long (see docs/load-balancing.md), so it is made in parts, and those who want the same share it.
 */
import { createHash } from "node:crypto";
import type { Balancer } from "@sallyport/model/traffic";

/** An endpoint as a table knows it. */
export interface TableMember {
  readonly label: string;
  /** Above 0. */
  readonly weight: number;
}

/** Indices of members; the narrowest that holds them. */
export type Owners = Uint16Array | Uint32Array;

/** Places, each of which belongs to a member. */
export interface HashTable {
  /** The owner of each place, an index into the members it was made of. The place after the last is the first. */
  readonly owners: Owners;
  /** The place of a well mixed hash (32 bits, unsigned). */
  find(hash: number): number;
}

/** Makes a table, a part (STEPS_A_PART at most) at each call of next(). */
export type TableMaker = Generator<void, HashTable>;

/** Kinds of balancers that have a table. */
export type HashingConfig = Extract<Balancer, { kind: "ring-hash" | "maglev" }>;

/** Steps of some ten nanoseconds between two pauses. */
export const STEPS_A_PART = 16_384;

/** A table that is being made, or made. */
export class TableBuild {
  readonly members: readonly TableMember[];
  #maker: TableMaker | undefined;
  #table: HashTable | undefined = undefined;

  constructor(members: readonly TableMember[], maker: TableMaker) {
    this.members = members;
    this.#maker = maker;
  }

  /** Undefined until it is made. */
  get table(): HashTable | undefined {
    return this.#table;
  }

  /** Makes one more part; whether there is more to do. */
  work(): boolean {
    const made = this.#maker?.next();
    if (made?.done === true) {
      this.#table = made.value;
      this.#maker = undefined;
    }
    return this.#maker !== undefined;
  }
}

/** Tables by what they are made of, for as long as somebody uses them. One for each worker. */
export class TableShelf {
  readonly #builds = new Map<string, WeakRef<TableBuild>>();
  readonly #registry = new FinalizationRegistry<string>((key) => {
    if (this.#builds.get(key)?.deref() === undefined) this.#builds.delete(key);
  });

  /** The table of these members (sorted by label); `make` begins one where nobody has it. */
  take(config: HashingConfig, members: readonly TableMember[], make: () => TableMaker): TableBuild {
    const key = toKey(config, members);
    const known = this.#builds.get(key)?.deref();
    if (known !== undefined) return known;
    const build = new TableBuild(members, make());
    this.#builds.set(key, new WeakRef(build));
    this.#registry.register(build, key);
    return build;
  }
}

/** An array for the owners of so many places. */
export function toOwners(members: number, places: number): Owners {
  return members <= 0xffff ? new Uint16Array(places) : new Uint32Array(places);
}

/** Keys to look for do not matter: tables are the same whatever is hashed. */
function toKey(config: HashingConfig, members: readonly TableMember[]): string {
  const hash = createHash("sha256");
  hash.update(config.kind === "maglev" ? `m${config.tableSize}` : `r${config.minimumSize},${config.maximumSize}`);
  for (const { label, weight } of members) hash.update(`\n${label} ${weight}`);
  return hash.digest("base64");
}
