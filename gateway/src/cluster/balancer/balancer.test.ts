/** Balancers: what all of them promise, and what each is chosen for. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Balancer as Config } from "@sallyport/model/traffic";
import { seeded } from "@sallyport/testkit/random";
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import { createBalancer } from "./registry.ts";
import { TableShelf } from "./table-shelf.ts";
import { WeightedSample } from "./weighted-sample.ts";

class Host implements BalancedEndpoint {
  readonly label: string;
  readonly weight: number;
  requests = 0;
  picks = 0;

  constructor(weight: number, n: number) {
    this.label = `10.0.0.${n}:80`;
    this.weight = weight;
  }

  active(): number {
    return this.requests;
  }
}

const CONFIGS = {
  "least-request": { kind: "least-request" },
  "least-request of 5": { kind: "least-request", choices: 5 },
  "round-robin": { kind: "round-robin" },
  random: { kind: "random" },
  "ring-hash": { kind: "ring-hash", keys: [], minimumSize: 1024, maximumSize: 8_388_608 },
  maglev: { kind: "maglev", keys: [], tableSize: 65_537 },
} as const satisfies Record<string, Config>;

/** Time stands still: tables are there when update() returns. */
const TABLES = new TableShelf({ now: () => 0, schedule: () => undefined });

function setUp(kind: keyof typeof CONFIGS, weights: readonly number[], random = seeded(1)) {
  const balancer = createBalancer<Host>(CONFIGS[kind], TABLES);
  const hosts = weights.map((weight, n) => new Host(weight, n));
  balancer.update(hosts, random);
  return { balancer, hosts, random };
}

function selectAll(balancer: Balancer<Host>, random: () => number): Host[] {
  const selection: Host[] = [];
  for (let host = balancer.first(random); host !== undefined; host = balancer.next()) selection.push(host);
  return selection;
}

const KINDS = ["least-request", "least-request of 5", "round-robin", "random", "ring-hash", "maglev"] as const;

for (const kind of KINDS) {
  test(`${kind}: a selection holds every endpoint once`, () => {
    const weights = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer(), (all, seed) => {
        const { balancer, hosts, random } = setUp(kind, all, seeded(seed));
        for (const host of hosts) host.requests = Math.floor(random() * 4);
        for (let rounds = 0; rounds < 5; rounds++) {
          const selection = selectAll(balancer, random);
          assert.equal(selection.length, hosts.length);
          assert.deepEqual(new Set(selection), new Set(hosts));
          assert.equal(balancer.next(), undefined);
        }
      }),
    );
  });

  test(`${kind}: without load the shares are those of the weights`, () => {
    const { balancer, hosts, random } = setUp(kind, [1, 2, 3, 10]);
    for (let i = 0; i < 32_000; i++) balancer.first(random)!.picks++;
    for (const { weight, picks } of hosts) {
      const share = weight / 16;
      // Of a ring, its points are drawn as well: 128 of them for a weight of 1.
      const variance = (1 - share) / (32_000 * share) + (kind === "ring-hash" ? (1 - share) / (128 * weight) : 0);
      const error = picks / 32_000 / share - 1;
      assert.ok(Math.abs(error) <= 3 * Math.sqrt(variance), `${weight}: ${error}`);
    }
  });

  test(`${kind}: frequent updates do not favour the first endpoints`, () => {
    const { balancer, hosts, random } = setUp(kind, [1, 1, 1, 1]);
    for (let i = 0; i < 8000; i++) {
      balancer.update(hosts, random);
      balancer.first(random)!.picks++;
    }
    for (const { picks } of hosts) assert.ok(Math.abs(picks - 2000) < 300, String(picks));
  });

  test(`${kind}: after an update only the new endpoints are chosen`, () => {
    const { balancer, random } = setUp(kind, [1, 2, 3]);
    balancer.first(random);
    const others = [new Host(5, 9)];
    balancer.update(others, random);
    assert.deepEqual(selectAll(balancer, random), others);
    balancer.update([], random);
    assert.equal(balancer.first(random), undefined);
    assert.equal(balancer.next(), undefined);
  });
}

test("round-robin: with equal weights everybody has a turn before anybody has another", () => {
  const { balancer, hosts, random } = setUp("round-robin", [1, 1, 1, 1, 1]);
  for (let rounds = 1; rounds <= 4; rounds++) {
    for (let i = 0; i < 5; i++) balancer.first(random)!.picks++;
    assert.ok(hosts.every(({ picks }) => picks === rounds));
  }
});

test("round-robin: at any time every share is right to within what random starts allow", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.integer(), (all, seed) => {
      const { balancer, hosts, random } = setUp("round-robin", all, seeded(seed));
      const total = all.reduce((sum, weight) => sum + weight, 0);
      for (let requests = 1; requests <= 200; requests++) {
        balancer.first(random)!.picks++;
        // each endpoint is less than a request early or late by its own clock, and all are measured by their sum
        for (const { weight, picks } of hosts) {
          const bound = 1 + (weight / total) * (hosts.length - 2);
          assert.ok(Math.abs(picks - (requests * weight) / total) <= bound + 1e-9);
        }
      }
    }),
  );
});

test("round-robin: given the draws at update it is deterministic", () => {
  const one = setUp("round-robin", [3, 1, 2], seeded(7));
  const other = setUp("round-robin", [3, 1, 2], seeded(7));
  const pick = ({ balancer, hosts }: typeof one) => hosts.indexOf(balancer.first(Math.random)!);
  for (let i = 0; i < 100; i++) assert.equal(pick(one), pick(other));
});

test("least-request: of two endpoints the one with fewer requests for its weight", () => {
  const { balancer, hosts, random } = setUp("least-request", [1, 1]);
  hosts[0]!.requests = 1;
  for (let i = 0; i < 20; i++) assert.equal(balancer.first(random), hosts[1]);
  assert.equal(balancer.next(), hosts[0]);
});

test("least-request: of many choices the best is first and the next best second", () => {
  const random = seeded(3);
  const balancer = createBalancer<Host>({ kind: "least-request", choices: 100 }, TABLES);
  const hosts = [5, 2, 9, 3, 7].map((requests, n) => Object.assign(new Host(n === 2 ? 9 : 1, n), { requests }));
  balancer.update(hosts, random);
  for (let i = 0; i < 20; i++) {
    assert.equal(balancer.first(random), hosts[2], "one request for each of its weight");
    assert.equal(balancer.next(), hosts[1]);
  }
});

test("by deadline: who is given more weight does not wait for what it had before", () => {
  const queue = new DeadlineQueue([1, 0.001], () => 1);
  for (let turns = 0; turns < 5; turns++) assert.equal(queue.take(), 0);
  queue.reweigh([100, 1]);
  const turns = Array.from({ length: 303 }, () => queue.take());
  const first = turns.indexOf(1);
  assert.ok(first > 90 && first <= 101, `what is left of its period is that of the new one: ${first}`);
  assert.equal(turns.filter((turn) => turn === 1).length, 3);
});

test("least-request: a slow endpoint gets less, where chance alone would pile requests on it", () => {
  const queueOf = (kind: "least-request" | "random"): number => {
    const { balancer, hosts, random } = setUp(kind, [1, 1, 1, 1, 1]);
    for (let step = 0; step < 20_000; step++) {
      for (let arrivals = 0; arrivals < 2; arrivals++) balancer.first(random)!.requests++;
      // The first one answers a third as often as the others.
      for (const [at, host] of hosts.entries()) {
        if (host.requests > 0 && random() < (at === 0 ? 0.25 : 0.75)) host.requests--;
      }
    }
    return hosts[0]!.requests;
  };
  assert.ok(queueOf("least-request") < 10);
  assert.ok(queueOf("random") > 1000);
});

test("a draw by weight is the first running sum above it", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 9 });
  const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(weights, draws, (all, drawn) => {
      const total = all.reduce((sum, weight) => sum + weight, 0);
      let sum = 0;
      const expected = all.findIndex((weight) => (sum += weight) > drawn * total);
      assert.equal(new WeightedSample(all).draw(drawn), expected);
    }),
  );
});
