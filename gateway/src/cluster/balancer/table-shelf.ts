/**
 * The tables of consistent hashing of one worker: who wants the same has the same one, and all that there is to do for them has its share of
 * each turn of the event loop, however many clusters want one at once. The smallest are made first: they are not to wait for what somebody
 * else wants to be huge.
 */
import type { HashTable, HashingConfig, TableMaker, TableMember } from "./hash-table.ts";
import { makeMaglev } from "./maglev.ts";
import { makeRing } from "./ring.ts";
import { sortMembers, toTableKey } from "./table-members.ts";
import { ROOM, TableRoom, type TableShortage } from "./table-room.ts";

/** Milliseconds of a turn that tables may take. */
const SLICE = 2;

/** What it stands on. */
export interface ShelfOptions {
  /** Milliseconds, monotonic, and not coarse. */
  readonly now: () => number;
  /** Calls `run` once after so many milliseconds. */
  readonly schedule: (milliseconds: number, run: () => void) => unknown;
  /** One call a change. */
  readonly onTableShortage?: (shortage: TableShortage) => void;
}

/** What somebody wants a table of. */
export interface TableOrder {
  readonly config: HashingConfig;
  /** In whatever order. */
  readonly members: readonly TableMember[];
  /** The one it takes the place of. */
  readonly replaced: SharedTable | undefined;
  /** Called once, possibly before order() returns. Whoever has it gives it back. */
  readonly onMade: (table: SharedTable) => void;
}

/** A table that is being made, or made, and who has it. */
export class SharedTable {
  readonly key: string;
  /** Sorted by label. */
  readonly members: readonly TableMember[];
  readonly bytes: number;
  /** Whether it is smaller than configured. */
  readonly isCut: boolean;
  users = 0;
  #maker: TableMaker | undefined;
  #table: HashTable | undefined = undefined;

  constructor(
    key: string,
    members: readonly TableMember[],
    size: { bytes: number; isCut: boolean; maker: TableMaker },
  ) {
    this.key = key;
    this.members = members;
    this.bytes = size.bytes;
    this.isCut = size.isCut;
    this.#maker = size.maker;
  }

  /** Undefined until it is made. */
  get table(): HashTable | undefined {
    return this.#table;
  }

  /** Makes one more part. */
  work(): void {
    const made = this.#maker?.next();
    if (made?.done !== true) return;
    this.#table = made.value;
    this.#maker = undefined;
  }
}

/** What is under way for one order. */
interface Job {
  readonly order: TableOrder;
  readonly cost: number;
  readonly steps: Generator<void, SharedTable>;
  /** The one it has its hand on. */
  shared: SharedTable | undefined;
}

/** All tables of a worker. */
export class TableShelf {
  readonly #options: ShelfOptions;
  readonly #room: TableRoom;
  readonly #tables = new Map<string, SharedTable>();
  readonly #jobs = new Map<TableOrder, Job>();
  #cut = 0;
  /** Milliseconds of this turn. */
  #spent = 0;
  #isScheduled = false;
  #isWorking = false;

  /** `room`: what its tables may have. */
  constructor(options: ShelfOptions, room = new TableRoom()) {
    this.#options = options;
    this.#room = room;
  }

  /** Bytes of all tables. */
  get bytes(): number {
    return this.#room.taken;
  }

  /** How many orders are open. */
  get waiting(): number {
    return this.#jobs.size;
  }

  /** Makes a table, or finds it: at once where that is little, and this turn of the loop has time left for it. */
  order(order: TableOrder): void {
    const job: Job = { order, cost: toCost(order), steps: this.#make(order), shared: undefined };
    this.#jobs.set(order, job);
    this.#work();
  }

  /** Nobody waits for it any more; a no-op where it is made. */
  cancel(order: TableOrder): void {
    const job = this.#jobs.get(order);
    if (job === undefined) return;
    this.#jobs.delete(order);
    if (job.shared !== undefined) this.giveBack(job.shared);
  }

  /** One who has the table does not need it any more. */
  giveBack(shared: SharedTable): void {
    shared.users--;
    if (shared.users > 0) return;
    this.#tables.delete(shared.key);
    this.#room.giveBack(shared.bytes);
    if (shared.isCut && --this.#cut === 0) this.#options.onTableShortage?.({ kind: "enough" });
  }

  *#make(order: TableOrder): Generator<void, SharedTable> {
    const members = yield* sortMembers(order.members);
    const key = yield* toTableKey(order.config, members);
    const shared = this.#tables.get(key) ?? this.#begin(key, order, members);
    shared.users++;
    const job = this.#jobs.get(order);
    if (job !== undefined) job.shared = shared;
    // Others who want it go on with it as well.
    for (; shared.table === undefined; shared.work()) yield;
    return shared;
  }

  #begin(key: string, { config, replaced }: TableOrder, members: readonly TableMember[]): SharedTable {
    const freed = replaced?.users === 1 ? replaced.bytes : 0;
    const size = this.#room.size(config, members, freed);
    const made = size.config;
    const maker = made.kind === "maglev" ? makeMaglev(members, made.tableSize) : makeRing(members, made);
    const isCut = size.places < size.wanted;
    const shared = new SharedTable(key, members, { bytes: size.bytes, isCut, maker });
    this.#tables.set(key, shared);
    this.#room.take(size.bytes);
    if (isCut && ++this.#cut === 1) {
      const { wanted, places } = size;
      this.#options.onTableShortage?.({ kind: "short", room: ROOM, endpoints: members.length, wanted, made: places });
    }
    return shared;
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    const { now, schedule } = this.#options;
    for (let job = this.#nextJob(); job !== undefined; job = this.#nextJob()) {
      if (this.#spent >= SLICE) break;
      const start = now();
      this.#workOn(job, start + SLICE - this.#spent);
      this.#spent += now() - start;
    }
    this.#isWorking = false;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    schedule(0, () => {
      this.#isScheduled = false;
      this.#spent = 0;
      if (this.#jobs.size > 0) this.#work();
    });
  }

  #workOn({ order, steps }: Job, until: number): void {
    const { now } = this.#options;
    do {
      const step = steps.next();
      if (step.done !== true) continue;
      this.#jobs.delete(order);
      order.onMade(step.value);
      return;
    } while (now() < until);
  }

  /** That with the least to do in all. */
  #nextJob(): Job | undefined {
    let next: Job | undefined = undefined;
    for (const job of this.#jobs.values()) if (next === undefined || job.cost < next.cost) next = job;
    return next;
  }
}

/** In places, about. */
function toCost({ config, members }: TableOrder): number {
  if (config.kind === "maglev") return config.tableSize + members.length;
  return Math.min(Math.max(512 * members.length, config.minimumSize), config.maximumSize);
}
