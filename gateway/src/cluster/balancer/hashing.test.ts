/** Consistent hashing: the same answer everywhere, even shares, and few keys that move. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seeded } from "@sallyport/testkit/random";
import type { BalancedEndpoint } from "./balancer.ts";
import type { HashingConfig } from "./hash-table.ts";
import { HashingBalancer } from "./hashing.ts";
import { primeUpTo } from "./maglev.ts";
import { toPointCounts } from "./ring.ts";
import { TableShelf } from "./table-shelf.ts";

interface Host extends BalancedEndpoint {
  readonly label: string;
}

const RING = { kind: "ring-hash", keys: [], minimumSize: 1024, maximumSize: 8_388_608 } satisfies HashingConfig;
const MAGLEV = { kind: "maglev", keys: [], tableSize: 65_537 } satisfies HashingConfig;
const CONFIGS: readonly HashingConfig[] = [RING, MAGLEV];
const KEYS = 20_000;

function toHost(n: number, weight = 1): Host {
  return { label: `10.0.${n >> 8}.${n & 255}:8080`, weight, active: () => 0 };
}

function toHosts(count: number): Host[] {
  return Array.from({ length: count }, (_, n) => toHost(n + 1));
}

/** Time stands still: tables are there when update() returns. */
const AT_ONCE = { now: () => 0, schedule: () => undefined };

function open(config: HashingConfig, hosts: readonly Host[], members = hosts): HashingBalancer<Host> {
  const balancer = new HashingBalancer<Host>(config, new TableShelf(AT_ONCE));
  balancer.update(hosts, Math.random, members);
  return balancer;
}

/** Each look at the clock takes half a millisecond: few parts are made in a turn. */
class Loop {
  time = 0;
  turns = 0;
  readonly later: (() => void)[] = [];
  readonly shelf = new TableShelf({
    now: () => (this.time += 0.5),
    schedule: (_milliseconds, run) => this.later.push(run),
  });

  /** The next turn; whether there is one. */
  turn(): boolean {
    const due = this.later.splice(0);
    for (const run of due) run();
    if (due.length > 0) this.turns++;
    return this.later.length > 0;
  }
}

function place(balancer: HashingBalancer<Host>, key: number): string {
  return balancer.first(noChance, key)?.label ?? "";
}

function placeAll(config: HashingConfig, hosts: readonly Host[], members = hosts): string[] {
  const balancer = open(config, hosts, members);
  return Array.from({ length: KEYS }, (_, key) => place(balancer, key));
}

function selectAll(balancer: HashingBalancer<Host>, key: number): string[] {
  const selection: string[] = [];
  for (let host = balancer.first(noChance, key); host !== undefined; host = balancer.next()) selection.push(host.label);
  return selection;
}

function noChance(): number {
  throw new Error("a hash leaves nothing to chance");
}

/** Of KEYS keys, and relative to 1 of 20. */
function countMoved(some: readonly string[], others: readonly string[]): number {
  return some.filter((label, key) => label !== others[key]).length / KEYS / (1 / 20);
}

for (const config of CONFIGS) {
  test(`${config.kind}: a key has the same endpoint in every process, and in whatever order endpoints come`, () => {
    const hosts = toHosts(5);
    const expected = {
      "ring-hash": "511211412414",
      maglev: "424355242124",
    };
    const digits = (all: readonly Host[]): string => {
      const balancer = open(config, all);
      return Array.from({ length: 12 }, (_, key) => place(balancer, key).split(":")[0]?.at(-1)).join("");
    };
    assert.equal(digits(hosts), expected[config.kind]);
    assert.equal(digits(hosts.toReversed()), expected[config.kind]);
  });

  test(`${config.kind}: shares are those of the weights`, () => {
    const hosts = Array.from({ length: 20 }, (_, n) => toHost(n + 1, 1 + (n % 4)));
    const counts = Map.groupBy(placeAll(config, hosts), (label) => label);
    const total = hosts.reduce((sum, { weight }) => sum + weight, 0);
    for (const { label, weight } of hosts) {
      const share = weight / total;
      const keys = (1 - share) / (KEYS * share);
      // A ring has chance in it twice: where keys are, and where its points are.
      const points = config.kind === "ring-hash" ? 1 / (256 * weight) : 0;
      const error = (counts.get(label)?.length ?? 0) / KEYS / share - 1;
      assert.ok(Math.abs(error) < 3 * Math.sqrt(keys + points) + 0.005, `${label}: ${error}`);
    }
  });

  test(`${config.kind}: when one of 20 endpoints goes, or comes, 1.2 of 20 keys move at most`, () => {
    const hosts = toHosts(20);
    const all = placeAll(config, hosts);
    for (const gone of hosts) {
      const less = placeAll(
        config,
        hosts.filter((host) => host !== gone),
      );
      const moved = countMoved(all, less);
      assert.ok(moved <= 1.2, `${gone.label}: ${moved}`);
    }
  });

  test(`${config.kind}: while an endpoint is left out, the keys of the others stay where they are`, () => {
    const hosts = toHosts(10);
    const all = placeAll(config, hosts);
    const [out] = hosts;
    const fewer = placeAll(config, hosts.slice(1), hosts);
    for (const [key, label] of all.entries()) {
      if (label !== out?.label) assert.equal(fewer[key], label);
      else assert.notEqual(fewer[key], label);
    }
    const taken = Map.groupBy(
      fewer.filter((_, key) => all[key] === out?.label),
      (label) => label,
    );
    assert.equal(taken.size, 9, "all others take their part");
  });

  test(`${config.kind}: a selection has every endpoint once, and the same ones in the same order`, () => {
    const weights = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 });
    const small =
      config.kind === "maglev" ? { ...config, tableSize: 13 } : { ...config, minimumSize: 1, maximumSize: 8 };
    const medium = config.kind === "maglev" ? { ...config, tableSize: 1009 } : config;
    for (const sized of [medium, small]) {
      fc.assert(
        fc.property(weights, fc.integer({ min: 0, max: 0xffff_ffff }), (all, key) => {
          const hosts = all.map((weight, n) => toHost(n, weight));
          const balancer = open(sized, hosts);
          const selection = selectAll(balancer, key);
          assert.deepEqual(new Set(selection), new Set(hosts.map(({ label }) => label)));
          assert.equal(selection.length, hosts.length);
          assert.deepEqual(selectAll(balancer, key), selection);
          assert.deepEqual(selectAll(open(sized, hosts.toReversed()), key), selection);
        }),
        { numRuns: 20 },
      );
    }
  });

  test(`${config.kind}: without a hash chance decides, by weight`, () => {
    const balancer = open(config, [toHost(1, 1), toHost(2, 3)]);
    const random = seeded(3);
    let heavy = 0;
    for (let i = 0; i < 10_000; i++) if (balancer.first(random)?.weight === 3) heavy++;
    assert.ok(Math.abs(heavy - 7500) < 500, String(heavy));
  });

  test(`${config.kind}: a large table is made in parts, and what was there is used meanwhile`, () => {
    const hosts = toHosts(1000);
    const loop = new Loop();
    const balancer = new HashingBalancer<Host>(config, loop.shelf);
    balancer.update(hosts.slice(0, 4), Math.random);
    while (loop.turn());
    const before = Array.from({ length: 100 }, (_, key) => place(balancer, key));
    loop.turns = 0;
    balancer.update(hosts.slice(1), Math.random);
    while (loop.turn()) {
      if (loop.turns % 100 !== 3) continue;
      for (const [key, label] of before.entries()) {
        if (label === hosts[0]?.label) assert.notEqual(place(balancer, key), label);
        else assert.equal(place(balancer, key), label);
      }
    }
    assert.ok(loop.turns > 100, String(loop.turns));
    const after = new Set(Array.from({ length: 1000 }, (_, key) => place(balancer, key)));
    assert.ok(after.size > 500, "the new table");
  });

  test(`${config.kind}: who wants a table that there is shares it, in whatever order its endpoints come`, () => {
    const hosts = toHosts(300);
    const shelf = new TableShelf(AT_ONCE);
    const one = new HashingBalancer<Host>(config, shelf);
    one.update(hosts, Math.random);
    const { bytes } = shelf;
    const other = new HashingBalancer<Host>(config, shelf);
    other.update(hosts.toReversed(), Math.random);
    assert.equal(shelf.bytes, bytes);
    for (let key = 0; key < 100; key++) assert.equal(place(other, key), place(one, key));
    one.close();
    assert.equal(shelf.bytes, bytes);
    other.close();
    assert.equal(shelf.bytes, 0);
    for (let key = 0; key < 100; key++) assert.equal(place(other, key), place(one, key), "late requests");
  });

  test(`${config.kind}: endpoints that change faster than a table is made do not keep one from being made`, () => {
    const loop = new Loop();
    const balancer = new HashingBalancer<Host>(config, loop.shelf);
    const hosts = toHosts(100);
    let before: string[] = [];
    let moved = 0;
    for (let change = 0; change < 100; change++) {
      balancer.update(hosts.slice(change % 7), Math.random);
      for (let turns = 0; turns < 40; turns++) loop.turn();
      const after = Array.from({ length: 100 }, (_, key) => place(balancer, key));
      moved = after.filter((label, key) => label !== before[key]).length;
      before = after;
    }
    assert.ok(moved < 20, `${moved} keys move where there is a table, nearly all where there is none`);
  });
}

test("ring-hash: when an endpoint goes, its keys alone move, and where they would have been tried next", () => {
  const hosts = toHosts(12);
  const whole = open(RING, hosts);
  for (const gone of hosts.slice(0, 3)) {
    const less = open(
      RING,
      hosts.filter((host) => host !== gone),
    );
    for (let key = 0; key < 2000; key++) {
      const [first, second] = selectAll(whole, key);
      assert.equal(place(less, key), first === gone.label ? second : first);
    }
  }
});

test("the number of points goes by weight, and within the limits of the ring", () => {
  const count = (weights: readonly number[], minimumSize: number, maximumSize: number): number[] =>
    toPointCounts(
      weights.map((weight, n) => ({ label: String(n), weight })),
      { minimumSize, maximumSize },
    );
  assert.deepEqual(count([1, 1, 1], 1024, 8_388_608), [512, 512, 512]);
  assert.deepEqual(count([1], 1024, 8_388_608), [1024]);
  assert.deepEqual(count([1, 3], 1024, 8_388_608), [256, 768]);
  assert.deepEqual(count([64, 64], 1, 8_388_608), [512, 512]);
  assert.deepEqual(count([1, 1], 5000, 8_388_608), [2500, 2500]);
  assert.deepEqual(count([1, 1, 2], 1, 100), [25, 25, 50]);
  assert.deepEqual(count([1, 1, 1], 1, 2), [1, 1, 1], "nobody is without");
});

test("a table has as many places as the next smaller prime", () => {
  assert.deepEqual([2, 3, 4, 10, 65_537, 65_600, 5_000_011].map(primeUpTo), [2, 3, 3, 7, 65_537, 65_599, 5_000_011]);
});
