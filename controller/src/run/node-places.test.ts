/** What proxies are told of where they are, as Nodes come, change and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownPlaces } from "./node-places.ts";

function setUp() {
  const places = new KnownPlaces();
  let news = 0;
  places.onChange(() => void news++);
  return { places, news: () => news };
}

test("a proxy learns where its node is, and the region of every zone", () => {
  const { places } = setUp();
  places.put("n1", { region: "eu", zone: "eu-a", subzone: "rack1" });
  places.put("n2", { region: "us", zone: "us-a" });
  const regions = { "eu-a": "eu", "us-a": "us" };
  assert.deepEqual(places.placeOf("n1"), { kind: "place", region: "eu", zone: "eu-a", subzone: "rack1", regions });
  assert.deepEqual(places.placeOf("n2"), { kind: "place", region: "us", zone: "us-a", regions });
  assert.deepEqual(places.placeOf("n3"), { kind: "place", regions });
  assert.deepEqual(places.placeOf(undefined), { kind: "place", regions });
});

test("what a proxy is told is another object only when it says something else", () => {
  const { places, news } = setUp();
  places.put("n1", { region: "eu", zone: "eu-a" });
  const told = places.placeOf("n1");
  places.put("n2", { region: "eu", zone: "eu-a" });
  places.put("n2", { region: "eu", zone: "eu-a" });
  assert.equal(news(), 2);
  assert.equal(places.placeOf("n1"), told);
  places.put("n2", { region: "us", zone: "us-a" });
  assert.notEqual(places.placeOf("n1"), told);
  places.put("n2", undefined);
  assert.deepEqual(places.placeOf("n2"), { kind: "place", regions: { "eu-a": "eu", "us-a": "us" } });
  assert.equal(news(), 4);
});

test("facts of nodes are another object only when one of them is elsewhere, and say what is not known as nothing", () => {
  const { places } = setUp();
  places.put("n1", { region: "eu", zone: "eu-a" });
  const { facts } = places;
  places.put("n1", { region: "eu", zone: "eu-a" });
  assert.equal(places.facts, facts);
  assert.deepEqual(facts.localityOf("n1"), { region: "eu", zone: "eu-a", subzone: "" });
  places.put("plain", {});
  for (const node of ["plain", "unheard-of"]) assert.equal(places.facts.localityOf(node), undefined);
  places.put("n1", { region: "eu", zone: "eu-b" });
  assert.notEqual(places.facts, facts);
});
