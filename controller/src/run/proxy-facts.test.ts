/** Facts that were told: when they are stale. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeFacts } from "../translate/services/endpoint-places.ts";
import { indexWorld } from "../world/indexed-world.ts";
import { type FactSources, ToldFacts } from "./proxy-facts.ts";

function setUp() {
  let nodes: NodeFacts = { localityOf: () => undefined };
  const sources: FactSources = {
    groupState: () => ({ connected: 0, current: 0, refusals: [] }),
    failuresOf: () => [],
    ingressService: { namespace: "system", name: "ingress" },
    nodes: () => nodes,
  };
  return {
    facts: new ToldFacts(sources, indexWorld([])),
    nodes,
    move: () => {
      nodes = { localityOf: () => undefined };
    },
  };
}

test("nodes that moved make facts stale where somebody was told of nodes, and only there", () => {
  const { facts, nodes, move } = setUp();
  move();
  assert.equal(facts.isStale(), false);
  assert.equal(facts.nodes, nodes);
  assert.equal(facts.isStale(), true);
});
