/** Loads of ranks: what Envoy documents, and what must hold for any health. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toLoads } from "./spill.ts";

const POLICY = { overprovisioning: 140, panicThreshold: 50 };

function load(...percents: number[]): { shares: number[]; panics: string } {
  const loads = toLoads(
    percents.map((fit) => ({ fit, total: 100 })),
    POLICY,
  );
  const shares = loads.map(({ share }) => Math.round(share * 1000) / 10);
  return { shares, panics: loads.map(({ isPanicking }) => (isPanicking ? "P" : ".")).join("") };
}

test("a rank that is ill spills to the next: Envoy's table of two and three priorities", () => {
  assert.deepEqual(load(100, 100), { shares: [100, 0], panics: ".." });
  assert.deepEqual(load(72, 72), { shares: [100, 0], panics: ".." });
  assert.deepEqual(load(71, 71), { shares: [99.4, 0.6], panics: ".." });
  assert.deepEqual(load(50, 50), { shares: [70, 30], panics: ".." });
  assert.deepEqual(load(25, 100), { shares: [35, 65], panics: ".." });
  assert.deepEqual(load(0, 100), { shares: [0, 100], panics: ".." });
  assert.deepEqual(load(25, 25), { shares: [50, 50], panics: "PP" });
  assert.deepEqual(load(25, 25, 100), { shares: [35, 35, 30], panics: "..." });
  assert.deepEqual(load(25, 25, 20), { shares: [33.3, 33.3, 33.3], panics: "PPP" });
});

test("panic is a matter of each rank, and only where all together are not enough: Envoy's table", () => {
  assert.deepEqual(load(50, 60), { shares: [70, 30], panics: ".." });
  assert.deepEqual(load(5, 65), { shares: [7.1, 92.9], panics: "P." });
  assert.deepEqual(load(49), { shares: [100], panics: "P" });
  assert.deepEqual(load(50), { shares: [100], panics: "." });
  assert.deepEqual(load(0), { shares: [100], panics: "P" });
});

test("where all panic, size decides", () => {
  const loads = toLoads(
    [
      { fit: 0, total: 30 },
      { fit: 1, total: 10 },
    ],
    POLICY,
  );
  assert.deepEqual(
    loads.map(({ share }) => share),
    [0.75, 0.25],
  );
});

test("where nothing may panic, ranks that are not enough share by their health: Envoy's table", () => {
  const ranks = [25, 25, 20].map((fit) => ({ fit, total: 100 }));
  const loads = toLoads(ranks, { overprovisioning: 140, panicThreshold: 0 });
  assert.deepEqual(
    loads.map(({ share }) => Math.round(share * 100)),
    [36, 36, 29],
  );
});

test("without panic, what is not fit gets nothing", () => {
  const never = { overprovisioning: 140, panicThreshold: 0 };
  assert.deepEqual(toLoads([{ fit: 0, total: 4 }], never), [{ share: 0, isPanicking: false }]);
  const [first, second] = toLoads(
    [
      { fit: 0, total: 4 },
      { fit: 1, total: 100 },
    ],
    never,
  );
  assert.equal(first?.share, 0);
  assert.equal(second?.share, 1);
});

test("shares add up, and nobody gets one who has nobody to serve it", () => {
  const rank = fc
    .record({ fit: fc.nat(20), others: fc.nat(20) })
    .map(({ fit, others }) => ({ fit, total: fit + others }));
  const policy = fc.record({ overprovisioning: fc.nat(300), panicThreshold: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(rank, { maxLength: 6 }), policy, (ranks, chosen) => {
      const loads = toLoads(ranks, chosen);
      const sum = loads.reduce((all, { share }) => all + share, 0);
      const mayServe = ranks.some(({ fit, total }) => fit > 0 || (total > 0 && chosen.panicThreshold > 0));
      assert.ok(Math.abs(sum - Number(mayServe)) < 1e-9, String(sum));
      for (const [at, { share, isPanicking }] of loads.entries()) {
        const { fit = 0, total = 0 } = ranks[at] ?? {};
        assert.ok(share >= 0);
        if (share > 0) assert.ok(isPanicking ? total > 0 : fit > 0);
      }
    }),
  );
});

test("a better rank has at least the share that its health is of all", () => {
  const percents = fc.array(fc.nat(100), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(percents, (all) => {
      const loads = toLoads(
        all.map((fit) => ({ fit, total: 100 })),
        { overprovisioning: 140, panicThreshold: 0 },
      );
      const [first] = loads;
      assert.ok((first?.share ?? 0) >= Math.min(1, (1.4 * (all[0] ?? 0)) / 100) - 1e-9);
    }),
  );
});
