/**
 * A Maglev table (Eisenbud et al., NSDI 2016, section 3.4): in turn, each endpoint takes the next free place in an order of its own. Shares
 * are even to within a place for each endpoint and lookup is one division; in return a change moves a few more keys than a ring does.
 */
import { DeadlineQueue } from "./deadline-queue.ts";
import { hashText } from "../../session/text-hash.ts";
import {
  type HashTable,
  type Owners,
  STEPS_A_PART,
  type TableMaker,
  type TableMember,
  toOwners,
} from "./hash-table.ts";

const LABELS_A_PART = 64;

/**
 * Makes the table of these members, sorted by label. It has as many places as the greatest prime that is not above `tableSize`: only
 * of a prime is every order complete. Turns are by weight.
 */
export function* makeMaglev(members: readonly TableMember[], tableSize: number): TableMaker {
  const size = primeUpTo(tableSize);
  const owners = toOwners(members.length, size);
  const taken = new Uint8Array(size);
  const places = new Uint32Array(members.length);
  const skips = new Uint32Array(members.length);
  for (const [owner, { label }] of members.entries()) {
    places[owner] = hashText(label, 3) % size;
    skips[owner] = 1 + (size > 2 ? hashText(label, 4) % (size - 1) : 0);
    if (owner % LABELS_A_PART === 0) yield;
  }
  const weights = members.map(({ weight }) => weight);
  const turns = new DeadlineQueue(weights, () => 1);
  let steps = 0;
  for (let filled = 0; filled < size; filled++) {
    const owner = turns.take();
    const skip = skips[owner] ?? 1;
    let place = places[owner] ?? 0;
    while (taken[place] === 1) {
      place += skip;
      if (place >= size) place -= size;
      // The last places are far apart.
      if (++steps % STEPS_A_PART === 0) yield;
    }
    taken[place] = 1;
    owners[place] = owner;
    places[owner] = place;
    if (++steps % STEPS_A_PART === 0) yield;
  }
  return new MaglevTable(owners);
}

/** The greatest prime that is not above `limit`; 2 where there is none. */
export function primeUpTo(limit: number): number {
  for (let candidate = limit; candidate > 2; candidate--) if (isPrime(candidate)) return candidate;
  return 2;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

class MaglevTable implements HashTable {
  readonly owners: Owners;

  constructor(owners: Owners) {
    this.owners = owners;
  }

  find(hash: number): number {
    return hash % this.owners.length;
  }
}
