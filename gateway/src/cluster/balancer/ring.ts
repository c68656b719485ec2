/**
 * A ring for consistent hashing (ketama): each endpoint has points on it in proportion to its weight, and a key belongs to the first point
 * at or after its hash. When an endpoint leaves, its keys alone go elsewhere; when one comes, it takes its share of all others.
 *
 * Both hold only while the others keep their points. So their number does not depend on how many endpoints there are: POINTS for one of
 * the usual weight, unless the limits of the ring want more or less in total.
 */
import { hashText, mix32 } from "../../session/text-hash.ts";
import {
  type HashTable,
  type Owners,
  STEPS_A_PART,
  type TableMaker,
  type TableMember,
  toOwners,
} from "./hash-table.ts";

/** Limits of the number of points. */
export interface RingSize {
  readonly minimumSize: number;
  readonly maximumSize: number;
}

/** Of an endpoint of the usual weight: its share is then right to within 1 / sqrt(POINTS), about 4 %, of it. */
const POINTS = 512;
/** On average, between two places where a search may begin. */
const POINTS_A_BUCKET = 8;

/** Makes the ring of these members, sorted by label: of two on the same point the first has it. */
export function* makeRing(members: readonly TableMember[], size: RingSize): TableMaker {
  const counts = toPointCounts(members, size);
  const ring = new Ring(members.length, sumOf(counts));
  let steps = 0;
  for (const pass of ["count", "put"] as const) {
    for (const [owner, { label }] of members.entries()) {
      const points = new Points(label);
      const count = counts[owner] ?? 0;
      for (let n = 0; n < count; n++) {
        if (pass === "count") ring.count(points.at(n));
        else ring.put(points.at(n), owner);
        if (++steps % STEPS_A_PART === 0) yield;
      }
    }
    if (pass === "count") yield* ring.reserve();
  }
  for (let bucket = 0; bucket < ring.buckets; bucket++) {
    ring.sort(bucket);
    if (++steps % (STEPS_A_PART / POINTS_A_BUCKET) === 0) yield;
  }
  return ring;
}

/** How many points each has: at least one, and the more the greater its weight. Exported for its test. */
export function toPointCounts(members: readonly TableMember[], size: RingSize): number[] {
  const weight = sumOf(members.map((member) => member.weight));
  const total = toRingTotal(members, size);
  return members.map((member) => Math.max(1, Math.round((member.weight / weight) * total)));
}

/** How many points all of them have, about: each has one at least. */
export function toRingTotal(members: readonly TableMember[], { minimumSize, maximumSize }: RingSize): number {
  const weight = sumOf(members.map((member) => member.weight));
  // The power of two next to the mean: endpoints that come and go do not change it.
  const usual = 2 ** Math.round(Math.log2(weight / members.length));
  const wanted = (POINTS * weight) / usual;
  return Math.max(Math.min(wanted, maximumSize), Math.min(minimumSize, maximumSize));
}

/** The points of one label, always in the same order. */
class Points {
  readonly #start: number;
  readonly #mask: number;

  constructor(label: string) {
    this.#start = hashText(label, 1);
    this.#mask = hashText(label, 2);
  }

  at(n: number): number {
    return mix32(mix32(this.#start + Math.imul(n, 0x9e3779b1)) ^ this.#mask);
  }
}

/** Points in buckets by their first bits: what is as even as a hash needs no other index, and no search by halves. */
class Ring implements HashTable {
  readonly owners: Owners;
  readonly #points: Uint32Array;
  /** Where each bucket begins, and the end; while points are put in: where the next one of the bucket before comes. */
  readonly #starts: Uint32Array;
  readonly #shift: number;

  constructor(members: number, points: number) {
    const bits = Math.max(1, Math.ceil(Math.log2(points / POINTS_A_BUCKET)));
    this.#shift = 32 - bits;
    this.#starts = new Uint32Array(2 ** bits + 2);
    this.#points = new Uint32Array(points);
    this.owners = toOwners(members, points);
  }

  get buckets(): number {
    return this.#starts.length - 2;
  }

  /** Counts a point that will be put in. */
  count(point: number): void {
    const bucket = (point >>> this.#shift) + 2;
    this.#starts[bucket] = (this.#starts[bucket] ?? 0) + 1;
  }

  /** All were counted: makes room for them. */
  *reserve(): Generator<void> {
    let sum = 0;
    for (let at = 0; at < this.#starts.length; at++) {
      this.#starts[at] = sum += this.#starts[at] ?? 0;
      if (at % (STEPS_A_PART * POINTS_A_BUCKET) === 0) yield;
    }
  }

  put(point: number, owner: number): void {
    const bucket = (point >>> this.#shift) + 1;
    const at = this.#starts[bucket] ?? 0;
    this.#points[at] = point;
    this.owners[at] = owner;
    this.#starts[bucket] = at + 1;
  }

  /** Brings the points of a bucket into order; of equal ones the first put in stays first. */
  sort(bucket: number): void {
    const start = this.#starts[bucket] ?? 0;
    const end = this.#starts[bucket + 1] ?? 0;
    for (let from = start + 1; from < end; from++) {
      const point = this.#points[from] ?? 0;
      const owner = this.owners[from] ?? 0;
      let to = from;
      for (; to > start && (this.#points[to - 1] ?? 0) > point; to--) {
        this.#points[to] = this.#points[to - 1] ?? 0;
        this.owners[to] = this.owners[to - 1] ?? 0;
      }
      this.#points[to] = point;
      this.owners[to] = owner;
    }
  }

  find(hash: number): number {
    const points = this.#points;
    let at = this.#starts[hash >>> this.#shift] ?? 0;
    while (at < points.length && (points[at] ?? 0) < hash) at++;
    return at === points.length ? 0 : at;
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
