/** How near endpoints are: by place, by helping regions, by labels. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalityBalancing } from "@sallyport/model/traffic";
import { NOWHERE } from "./locality.ts";
import { isWithin, type Located, toLocalityRank, toPrecision } from "./locality-rank.ts";

const BALANCING: LocalityBalancing = { distribute: [], failover: [], priorities: [], overprovisioning: 140 };
const HERE = { ...NOWHERE, region: "eu", zone: "eu-a", subzone: "r1", node: "n1" };

function at(place: string, labels?: Readonly<Record<string, string>>): Located {
  const [region = "", zone = "", subzone = ""] = place.split("/");
  return { locality: { region, zone, subzone }, labels };
}

function rank(place: string, changes: Partial<LocalityBalancing> = {}, here = HERE): number {
  return toLocalityRank(at(place), here, { ...BALANCING, ...changes });
}

test("endpoints rank by how much of the place they share", () => {
  assert.deepEqual(
    ["eu/eu-a/r1", "eu/eu-a/r2", "eu/eu-b/r1", "us/eu-a/r1", ""].map((place) => rank(place)),
    [0, 1, 2, 3, 3],
  );
});

test("where regions are not known, zones are enough; what is not known at all is not near", () => {
  assert.equal(rank("/eu-a/r1"), 0);
  assert.equal(rank("eu/eu-a/r1", {}, { ...HERE, region: "" }), 0);
  assert.equal(rank("/eu-b"), 3);
  assert.equal(rank("eu/"), 2);
  assert.equal(rank("//", {}, NOWHERE), 3);
  assert.equal(toLocalityRank({}, NOWHERE, BALANCING), 3);
});

test("the region that helps out comes before other regions", () => {
  const failover = [
    { from: "us", to: "asia" },
    { from: "eu", to: "us" },
  ];
  assert.equal(rank("us/us-a", { failover }), 3);
  assert.equal(rank("asia/asia-a", { failover }), 4);
  assert.equal(rank("eu/eu-b", { failover }), 2);
  assert.equal(rank("asia/asia-a", { failover: [{ from: "us", to: "asia" }] }), 3, "that is not for this place");
});

test("zone aware, a region is one rank", () => {
  const zoneAware = { minimumEndpoints: 6 };
  assert.deepEqual(
    ["eu/eu-a/r1", "eu/eu-a/r2", "eu/eu-b/r1", "us/us-a"].map((place) => rank(place, { zoneAware })),
    [0, 0, 0, 1],
  );
});

test("labels count from the first on: one that is not shared hides those behind it", () => {
  const priorities = ["network", "topology.kubernetes.io/region", "version=v2"];
  const here = { ...HERE, labels: { network: "n1" } };
  const rankOf = (place: string, labels: Readonly<Record<string, string>>): number =>
    toLocalityRank(at(place, labels), here, { ...BALANCING, priorities });
  assert.equal(rankOf("eu/eu-b", { network: "n1", version: "v2" }), 0);
  assert.equal(rankOf("eu/eu-b", { network: "n1", version: "v1" }), 1);
  assert.equal(rankOf("us/us-a", { network: "n1", version: "v2" }), 2);
  assert.equal(rankOf("eu/eu-b", { network: "n2", version: "v2" }), 3);
  assert.equal(rankOf("us/us-a", { network: "n1", "topology.kubernetes.io/region": "eu", version: "v2" }), 0);
});

test("patterns of places: what is not named stands for anything", () => {
  const place = { region: "eu", zone: "eu-a", subzone: "r1" };
  for (const pattern of ["*", "eu", "eu/*", "eu/eu-a/*", "eu/eu-a/r1", "*/eu-a", ""])
    assert.ok(isWithin(place, pattern));
  for (const pattern of ["us/*", "eu/eu-b/*", "eu/eu-a/r2", "eu-a"]) assert.ok(!isWithin(place, pattern));
  assert.deepEqual(["*", "eu/*", "eu/eu-a/*", "eu/eu-a/r1"].map(toPrecision), [0, 1, 2, 3]);
});
