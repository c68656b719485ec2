/** Tiers: who shares the traffic in which health, and that nobody is refused without need. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LocalityBalancing } from "@sallyport/model/traffic";
import { NOWHERE } from "./locality.ts";
import { type TierMember, type TierPolicy, toTiers } from "./tiers.ts";

interface Named extends TierMember {
  readonly name: string;
}

const BALANCING: LocalityBalancing = { distribute: [], failover: [], priorities: [], overprovisioning: 140 };
const PLAIN: TierPolicy = { locality: undefined, panicThreshold: 50 };
const HERE = { ...NOWHERE, region: "eu", zone: "eu-a" };

function one(name: string, changes: Partial<Named> = {}): Named {
  const hints = { forZones: undefined, forNodes: undefined };
  return { name, configuredWeight: 1, state: "ready", fitness: "fit", priority: 0, ...hints, ...changes };
}

function at(place: string): Pick<Named, "locality"> {
  const [region = "", zone = "", subzone = ""] = place.split("/");
  return { locality: { region, zone, subzone } };
}

/** As `ab 70 c 30`: names of those used, and the share in percent. */
function show(hosts: readonly Named[], policy: Partial<TierPolicy> = {}, place = HERE): string {
  return toTiers(hosts, { ...PLAIN, ...policy }, place)
    .filter(({ endpoints }) => endpoints.length > 0)
    .map(({ endpoints, share }) => `${endpoints.map(({ name }) => name).join("")} ${Math.round(share * 100)}`)
    .join(" ");
}

const ILL = { fitness: "unhealthy" } as const;
const DRAINING = { state: "draining" } as const;

test("without a policy all are one tier, without those that have no weight or are gone", () => {
  assert.equal(show([one("a"), one("b"), one("c", { configuredWeight: 0 }), one("d", { state: "removed" })]), "ab 100");
  assert.equal(show([]), "");
});

test("draining endpoints serve where no ready one is fit", () => {
  assert.equal(show([one("a"), one("b", DRAINING)]), "a 100");
  assert.equal(show([one("b", DRAINING)]), "b 100");
  assert.equal(show([one("a", ILL), one("b", DRAINING)]), "b 100");
  assert.equal(show([one("a", ILL), one("b", { ...DRAINING, ...ILL })]), "a 100", "panic");
});

test("endpoints whose first check is not over serve where no other is fit, and do not make a cluster look ill", () => {
  const unchecked = { fitness: "unchecked" } as const;
  assert.equal(show([one("a", unchecked), one("b", unchecked)]), "ab 100");
  assert.equal(show([one("a"), one("b", unchecked), one("c", unchecked)]), "a 100", "no panic");
  assert.equal(show([one("a", ILL), one("b", unchecked), one("c", unchecked)]), "bc 100");
  assert.equal(show([one("a", unchecked), one("b", DRAINING)]), "a 100", "a cluster that begins");
});

test("too few fit ones: all are used, unless panic is off", () => {
  const hosts = [one("a"), one("b", ILL), one("c", ILL)];
  assert.equal(show(hosts), "abc 100");
  assert.equal(show(hosts, { panicThreshold: 30 }), "a 100");
  assert.equal(show(hosts, { panicThreshold: 0 }), "a 100");
  assert.equal(show([one("a", ILL)], { panicThreshold: 0 }), "");
});

test("priorities follow each other as health says", () => {
  const second = { priority: 1 };
  const hosts = [one("a"), one("b"), one("c", second), one("d", second)];
  assert.equal(show(hosts), "ab 100 cd 0");
  assert.equal(show([one("a"), one("b", ILL), one("c", second)]), "a 70 c 30");
  assert.equal(show([one("a", ILL), one("c", second)]), "c 100");
});

test("endpoints that hints say are near come first, and others help out", () => {
  const [here, there] = [{ forZones: ["eu-a"] }, { forZones: ["eu-b"] }];
  assert.equal(show([one("a", here), one("b", there)]), "a 100 b 0");
  assert.equal(show([one("a", { ...here, ...ILL }), one("b", there)]), "b 100");
  assert.equal(show([one("a", here), one("b")]), "ab 100", "one says nothing");
});

test("near comes before far, with a policy for places", () => {
  const hosts = [one("a", at("eu/eu-a")), one("b", at("eu/eu-b")), one("c", at("us/us-a"))];
  assert.equal(show(hosts, { locality: BALANCING }), "a 100 b 0 c 0");
  assert.equal(show(hosts, { locality: BALANCING }, NOWHERE), "abc 100");
});

test("distribution gives places their weight; what is in none of them gets nothing", () => {
  const distribute = [
    { from: "us/*", to: [{ locality: "us/*", weight: 1 }] },
    { from: "eu/*", to: [{ locality: "eu/*", weight: 20 }, { locality: "eu/eu-a/*", weight: 80 }] }, // prettier-ignore
  ];
  const locality = { ...BALANCING, distribute };
  const hosts = [one("a", at("eu/eu-a")), one("b", at("eu/eu-b")), one("c", at("us/us-a"))];
  assert.equal(show(hosts, { locality }), "a 80 b 20");
  assert.equal(show([one("a", { ...at("eu/eu-a"), ...ILL }), ...hosts.slice(1)], { locality }), "b 100");
  assert.equal(show(hosts.slice(2), { locality }), "c 100", "nobody is where it should be");
  const ill = hosts.slice(0, 2).map((host) => ({ ...host, ...ILL }));
  const others = ["c", "d", "e"].map((name) => one(name, at("us/us-a")));
  assert.equal(show([...ill, ...others], { locality }), "cde 100", "nobody there is fit");
  assert.equal(show(ill, { locality }), "a 80 b 20", "nobody is fit at all");
  assert.equal(show(hosts, { locality }, { ...NOWHERE, region: "asia" }), "abc 100", "nothing is said of this place");
});

test("half of a place that is ill gives up what overprovisioning does not make good", () => {
  const to = [{ locality: "eu/eu-a/*", weight: 50 }, { locality: "eu/eu-b/*", weight: 50 }]; // prettier-ignore
  const locality = { ...BALANCING, distribute: [{ from: "*", to }] };
  const hosts = [
    one("a", at("eu/eu-a")),
    one("x", { ...at("eu/eu-a"), ...ILL }),
    one("b", at("eu/eu-b")),
    one("c", at("eu/eu-b")),
  ];
  // 0.5 x 0.7 of 0.5 x 0.7 + 0.5
  assert.equal(show(hosts, { locality }), "a 41 bc 59");
});

test("zone aware, a zone keeps what it can bear", () => {
  const locality = { ...BALANCING, zoneAware: { minimumEndpoints: 3 } };
  const hosts = [one("a", at("eu/eu-a")), one("b", at("eu/eu-b")), one("c", at("eu/eu-b"))];
  assert.equal(show(hosts, { locality }), "a 67 bc 33");
  assert.equal(show(hosts, { locality }, { ...HERE, zone: "eu-b" }), "a 0 bc 100");
  assert.equal(show(hosts, { locality }, { ...HERE, zone: "eu-c" }), "abc 100", "nobody is in this zone");
  assert.equal(show(hosts.slice(1), { locality }), "bc 100", "too few");
});

const PLACES = ["eu/eu-a/r1", "eu/eu-a/r2", "eu/eu-b", "us/us-a", "/eu-a", ""];
const host = fc.record({
  configuredWeight: fc.nat(3),
  state: fc.constantFrom("ready", "ready", "ready", "draining", "removed"),
  fitness: fc.constantFrom("fit", "fit", "ejected", "unhealthy", "unchecked"),
  priority: fc.nat(2),
  place: fc.constantFrom(...PLACES),
  forZones: fc.option(fc.constantFrom(["eu-a"], ["eu-b"]), { nil: undefined }),
});
const target = fc.record({ locality: fc.constantFrom("eu/*", "eu/eu-a/*", "us/*", "*"), weight: fc.nat(3) });
const locality = fc.record(
  {
    distribute: fc.array(fc.record({ from: fc.constantFrom("eu/*", "*"), to: fc.array(target, { maxLength: 3 }) }), {
      maxLength: 2,
    }),
    failover: fc.array(fc.constant({ from: "eu", to: "us" }), { maxLength: 1 }),
    priorities: fc.array(fc.constant("topology.kubernetes.io/region"), { maxLength: 1 }),
    zoneAware: fc.record({ minimumEndpoints: fc.nat(4) }),
    overprovisioning: fc.integer({ min: 0, max: 200 }),
  },
  { requiredKeys: ["distribute", "failover", "priorities", "overprovisioning"] },
);

test("in whatever health: the shares are all of the traffic, everybody with a share serves, nobody is refused without need", () => {
  const policy = fc.record({
    locality: fc.option(locality, { nil: undefined }),
    panicThreshold: fc.constantFrom(0, 1, 50, 100),
  });
  fc.assert(
    fc.property(fc.array(host, { maxLength: 12 }), policy, (drawn, chosen) => {
      const hosts = drawn.map(({ place, ...rest }, n) => ({ ...one(String(n)), ...rest, ...at(place) }));
      const serving = hosts.filter(({ configuredWeight, state }) => configuredWeight > 0 && state !== "removed");
      const isServed =
        serving.some(({ fitness }) => fitness === "fit" || fitness === "unchecked") ||
        (serving.length > 0 && chosen.panicThreshold > 0);
      const tiers = toTiers(hosts, chosen, HERE);
      const sum = tiers.reduce((all, { share }) => all + share, 0);
      assert.ok(Math.abs(sum - Number(isServed)) < 1e-9, String(sum));
      for (const { endpoints, share } of tiers) assert.ok(share === 0 || endpoints.length > 0);
      assert.equal(new Set(tiers.map(({ key }) => key)).size, tiers.length, "keys are unique");
      const used = tiers.flatMap(({ endpoints }) => endpoints);
      assert.equal(new Set(used).size, used.length, "nobody is in two");
      assert.ok(used.every((member) => serving.includes(member)));
    }),
    { numRuns: 2000 },
  );
});
