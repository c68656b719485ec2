/**
 * How much memory the tables of a worker may have, all clusters together, and how large a table is made of what is left. Whoever asks for
 * the largest tables in many policies must not take the memory of everybody: what does not fit is made smaller by a factor of eight, or
 * more of them, so that workers that run short come to the same few sizes. What endpoints need at least they always get.
 */
import { type HashingConfig, type TableMember, toOwnerSize } from "./hash-table.ts";
import { toRingTotal } from "./ring.ts";

/** Bytes of all tables of a worker, the least that each needs aside. */
export const ROOM = 128 * 1024 * 1024;
/** Bytes of those that are large: the others have the rest for themselves. */
export const ROOM_FOR_LARGE = ROOM / 2;
/** Bytes from which on a table is large: a ring of 1000 endpoints is not. */
const LARGE = 4 * 1024 * 1024;
const STEP = 8;
/** Places that a table gets, whatever there is: keys are spread roughly, and nobody is without. */
const LEAST_PLACES = 1021;
const LEAST_PLACES_A_MEMBER = 16;

/** What is to be made. */
export interface TableSize {
  readonly config: HashingConfig;
  readonly bytes: number;
  /** About. */
  readonly places: number;
  /** About, as configured. */
  readonly wanted: number;
}

/** There is no room for a table as large as configured (`short`; places), or there are no such tables any more (`enough`). */
export type TableShortage =
  | {
      readonly kind: "short";
      readonly room: number;
      readonly endpoints: number;
      readonly wanted: number;
      readonly made: number;
    }
  | { readonly kind: "enough" };

/** What is taken. */
export class TableRoom {
  #taken = 0;
  #takenByLarge = 0;

  /** Bytes of all tables. */
  get taken(): number {
    return this.#taken;
  }

  /** The size of a table of these members; `freed` bytes of another one are given back once it is made. */
  size(config: HashingConfig, members: readonly TableMember[], freed: number): TableSize {
    const wanted = toPlaces(config, members);
    const least = Math.min(wanted, Math.max(LEAST_PLACES, LEAST_PLACES_A_MEMBER * members.length));
    let places = wanted;
    while (places > least && !this.#fits(toBytes(config, members.length, places), freed))
      places = Math.max(least, Math.floor(places / STEP));
    const bytes = toBytes(config, members.length, places);
    return { config: places === wanted ? config : limit(config, places), bytes, places, wanted };
  }

  take(bytes: number): void {
    this.#taken += bytes;
    if (bytes > LARGE) this.#takenByLarge += bytes;
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes;
    if (bytes > LARGE) this.#takenByLarge -= bytes;
  }

  #fits(bytes: number, freed: number): boolean {
    if (this.#taken - freed + bytes > ROOM) return false;
    const freedOfLarge = freed > LARGE ? freed : 0;
    return bytes <= LARGE || this.#takenByLarge - freedOfLarge + bytes <= ROOM_FOR_LARGE;
  }
}

function toPlaces(config: HashingConfig, members: readonly TableMember[]): number {
  return config.kind === "maglev" ? config.tableSize : Math.round(toRingTotal(members, config));
}

/** A ring has its points and where to begin to search, besides the owners. */
function toBytes({ kind }: HashingConfig, members: number, places: number): number {
  const owners = places * toOwnerSize(members);
  return kind === "maglev" ? owners : owners + 5 * places;
}

function limit(config: HashingConfig, places: number): HashingConfig {
  if (config.kind === "maglev") return { ...config, tableSize: places };
  return { ...config, minimumSize: Math.min(config.minimumSize, places), maximumSize: places };
}
