/** Tables of many clusters: how much of a turn they take, in which order they are made, and how much memory they have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HashingConfig, TableMember } from "./hash-table.ts";
import { ROOM, ROOM_FOR_LARGE, TableRoom, type TableShortage } from "./table-room.ts";
import { type SharedTable, type TableOrder, TableShelf } from "./table-shelf.ts";

const RING = { kind: "ring-hash", keys: [], minimumSize: 1024, maximumSize: 8_388_608 } satisfies HashingConfig;
const MAGLEV = { kind: "maglev", keys: [], tableSize: 65_537 } satisfies HashingConfig;

function toMembers(count: number, net = 0): TableMember[] {
  return Array.from({ length: count }, (_, n) => ({ label: `10.${net}.${n >> 8}.${n & 255}:80`, weight: 1 }));
}

class Shelf {
  time = 0;
  readonly shortages: TableShortage[] = [];
  readonly later: (() => void)[] = [];
  readonly shelf: TableShelf;

  /** `tick`: milliseconds that pass between two looks at the clock. */
  constructor(tick: number, room = new TableRoom()) {
    const options = {
      now: () => (this.time += tick),
      schedule: (_milliseconds: number, run: () => void) => this.later.push(run),
      onTableShortage: (shortage: TableShortage) => this.shortages.push(shortage),
    };
    this.shelf = new TableShelf(options, room);
  }

  /** What came of it. */
  order(config: HashingConfig, members: readonly TableMember[], replaced?: SharedTable): Order {
    const order = new Order(config, members, replaced);
    this.shelf.order(order);
    return order;
  }

  /** The next turn of the loop; how long it took by the clock. */
  turn(): number {
    const start = this.time;
    for (const run of this.later.splice(0)) run();
    return this.time - start;
  }
}

class Order implements TableOrder {
  readonly config: HashingConfig;
  readonly members: readonly TableMember[];
  readonly replaced: SharedTable | undefined;
  made: SharedTable | undefined = undefined;
  readonly onMade = (shared: SharedTable): void => {
    this.made = shared;
  };

  constructor(config: HashingConfig, members: readonly TableMember[], replaced: SharedTable | undefined) {
    this.config = config;
    this.members = members;
    this.replaced = replaced;
  }

  get places(): number {
    return this.made?.table?.owners.length ?? 0;
  }
}

test("all tables together have their share of a turn, however many are wanted at once", () => {
  const set = new Shelf(0.1);
  const orders = Array.from({ length: 30 }, (_, n) => set.order(n % 2 === 0 ? MAGLEV : RING, toMembers(130, n)));
  assert.ok(set.time < 4, `one turn asks for all: ${set.time}`);
  for (let turns = 0; set.shelf.waiting > 0; turns++) {
    assert.ok(turns < 100_000);
    assert.ok(set.turn() < 2.5);
  }
  assert.ok(orders.every(({ places }) => places > 60_000));
});

test("a small table is there at once where the turn has time left", () => {
  const set = new Shelf(0.001);
  assert.ok(set.order(RING, toMembers(20)).places > 0);
  assert.equal(set.order(MAGLEV, toMembers(1000)).places, 0);
});

test("small tables are made before large ones that were there first", () => {
  const set = new Shelf(0.5);
  const large = set.order({ ...MAGLEV, tableSize: 1_000_003 }, toMembers(20));
  const small = set.order(RING, toMembers(20, 1));
  for (let turns = 0; small.places === 0; turns++) {
    assert.ok(turns < 1000);
    set.turn();
  }
  assert.equal(large.places, 0);
});

test("what nobody waits for any more is not made, and takes no room", () => {
  const set = new Shelf(0.5);
  const order = set.order({ ...MAGLEV, tableSize: 1_000_003 }, toMembers(20));
  const other = set.order({ ...MAGLEV, tableSize: 1_000_003 }, toMembers(20));
  for (let turns = 0; turns < 10; turns++) set.turn();
  assert.ok(set.shelf.bytes > 0);
  set.shelf.cancel(order);
  for (let turns = 0; turns < 10; turns++) set.turn();
  assert.ok(set.shelf.bytes > 0, "somebody else still waits");
  set.shelf.cancel(other);
  assert.equal(set.shelf.bytes, 0);
  assert.equal(set.shelf.waiting, 0);
  for (let turns = 0; turns < 10; turns++) set.turn();
  assert.equal(order.made, undefined);
});

test("what there is no room for is made smaller, and that is told once", () => {
  const room = new TableRoom();
  room.take(ROOM - 150_000);
  const set = new Shelf(0, room);
  assert.equal(set.order(MAGLEV, toMembers(20)).places, 65_537);
  assert.deepEqual(set.shortages, []);
  const config = { ...MAGLEV, tableSize: 100_003 };
  const orders = [set.order(config, toMembers(2)), set.order(config, toMembers(3))];
  assert.equal(orders[0]?.places, 1559);
  assert.deepEqual(set.shortages, [{ kind: "short", room: ROOM, endpoints: 2, wanted: 100_003, made: 1562 }]);
  for (const { made } of orders) if (made !== undefined) set.shelf.giveBack(made);
  assert.deepEqual(set.shortages.slice(1), [{ kind: "enough" }]);
});

/** Takes a table of so many endpoints; how many places it has. */
function take(room: TableRoom, config: HashingConfig, count: number, freed = 0): number {
  const { places, bytes } = room.size(config, toMembers(count), freed);
  room.take(bytes);
  return places;
}

const HUGE_RING = { ...RING, minimumSize: 8_388_608 };
const HUGE_MAGLEV = { ...MAGLEV, tableSize: 5_000_011 };

test("large tables have half of the room, whoever asks for how many", () => {
  const room = new TableRoom();
  const places = Array.from({ length: 100 }, () => take(room, HUGE_RING, 2));
  assert.deepEqual(places.slice(0, 3), [8_388_608, 1_048_576, 131_072]);
  assert.ok(take(room, HUGE_MAGLEV, 2) < 100_000);
  assert.ok(room.taken <= ROOM + 100 * 1021 * 7);
});

test("tables of the usual size are what they are beside large ones", () => {
  const room = new TableRoom();
  while (take(room, HUGE_MAGLEV, 2) === 5_000_011);
  assert.ok(room.taken <= ROOM_FOR_LARGE + 2 * 1024 * 1024);
  assert.equal(take(room, MAGLEV, 20), 65_537);
  assert.equal(take(room, RING, 1000), 512_000);
});

test("a table that is replaced makes room for its successor", () => {
  const room = new TableRoom();
  take(room, HUGE_RING, 2);
  const freed = room.taken;
  assert.equal(take(room, HUGE_RING, 3, freed), 8_388_608);
  room.giveBack(freed);
  assert.equal(room.taken, freed);
});

test("endpoints have what they need, whatever there is", () => {
  const room = new TableRoom();
  room.take(ROOM);
  assert.equal(take(room, MAGLEV, 3), 1021);
  assert.equal(take(room, RING, 3000), 16 * 3000);
  assert.equal(take(room, { ...MAGLEV, tableSize: 13 }, 3000), 13);
});
