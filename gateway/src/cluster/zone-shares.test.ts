/** Zone aware shares: near as far as it goes, and nobody overloaded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toZoneShares } from "./zone-shares.ts";

test("a zone with its part of the capacity keeps its traffic; one with less gives the rest where there is more", () => {
  assert.deepEqual(
    [...toZoneShares(new Map([["a", 5], ["b", 5]]), "a")], // prettier-ignore
    [["a", 1], ["b", 0]], // prettier-ignore
  );
  const zones = new Map([["a", 1], ["b", 2], ["c", 3]]); // prettier-ignore
  assert.deepEqual([...toZoneShares(zones, "c")], [["a", 0], ["b", 0], ["c", 1]]); // prettier-ignore
  assert.deepEqual([...toZoneShares(zones, "b")], [["a", 0], ["b", 1], ["c", 0]]); // prettier-ignore
  assert.deepEqual([...toZoneShares(zones, "a")], [["a", 0.5], ["b", 0], ["c", 0.5]]); // prettier-ignore
});

test("with proxies spread evenly no endpoint has more than its share, and all of the traffic arrives", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(weights, (all) => {
      const zones = new Map(all.map((weight, n) => [`z${n}`, weight]));
      const loads = new Map<string, number>();
      for (const own of zones.keys())
        for (const [zone, share] of toZoneShares(zones, own))
          loads.set(zone, (loads.get(zone) ?? 0) + share / zones.size);
      const total = all.reduce((sum, weight) => sum + weight, 0);
      for (const [zone, weight] of zones)
        assert.ok(Math.abs((loads.get(zone) ?? 0) - weight / total) < 1e-9, `${zone} of ${all.join()}`);
    }),
  );
});
