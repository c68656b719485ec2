/**
 * What consistent hashing looks endpoints up in. A table is made of labels and weights alone, so that all workers and processes have the
 * same. Making a large one takes long (see docs/load-balancing.md), so it is made in parts: table-shelf.ts says when.
 */
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

/** Makes a table, some STEPS_A_PART steps at each call of next(). */
export type TableMaker = Generator<void, HashTable>;

/** Kinds of balancers that have a table. */
export type HashingConfig = Extract<Balancer, { kind: "ring-hash" | "maglev" }>;

/** Steps of some ten to a hundred nanoseconds between two looks at the clock. */
export const STEPS_A_PART = 256;

/** Bytes of one owner. */
export function toOwnerSize(members: number): 2 | 4 {
  return members <= 0xffff ? 2 : 4;
}

/** An array for the owners of so many places. */
export function toOwners(members: number, places: number): Owners {
  return toOwnerSize(members) === 2 ? new Uint16Array(places) : new Uint32Array(places);
}
