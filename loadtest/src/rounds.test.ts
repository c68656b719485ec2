import assert from "node:assert/strict";
import { test } from "node:test";
import { readBudgets } from "./budgets.ts";
import { floodedName } from "./flood.ts";
import { allPeers } from "./peers/all.ts";
import { choicesFor, rotated } from "./rounds.ts";
import { scenarios } from "./scenarios.ts";
import type { LoadScenario } from "./scenario.ts";

const peers = allPeers("source");

function scenario(name: string): LoadScenario {
  const found = scenarios.find((candidate) => candidate.name === name);
  assert.ok(found?.kind === "load");
  return found;
}

test("each round begins with another target and leaves none out", () => {
  assert.deepEqual(rotated(["a", "b", "c"], 0), ["a", "b", "c"]);
  assert.deepEqual(rotated(["a", "b", "c"], 1), ["b", "c", "a"]);
  assert.deepEqual(rotated(["a", "b", "c"], 5), ["c", "a", "b"]);
  assert.deepEqual(rotated([], 3), []);
});

test("by default peers are compared without access log and with one route", () => {
  const choices = choicesFor(scenario("vary"), peers);
  assert.deepEqual(
    choices.map(({ name }) => name),
    peers.map(({ name }) => name),
  );
  assert.ok(choices.every(({ accessLog, routes }) => accessLog === "off" && routes === "one"));
});

test("the access log is compared on every peer that has one, with itself", () => {
  const choices = choicesFor(scenario("access-log"), peers);
  assert.deepEqual(
    choices.map(({ accessLog }) => accessLog),
    choices.map((_, index) => (index % 2 === 0 ? "off" : "on")),
  );
  assert.ok(choices.some(({ name }) => name === "haproxy + access log"));
  assert.ok(!choices.some(({ name }) => name.startsWith("http-proxy-3")));
});

test("only peers that serve the scenario's front take part", () => {
  const names = (name: string): readonly string[] => choicesFor(scenario(name), peers).map((choice) => choice.name);
  assert.deepEqual(names("tls"), ["sallyport", "haproxy", "nginx", "envoy", "traefik"]);
  assert.deepEqual(names("h2-tls"), ["sallyport", "haproxy", "nginx", "envoy", "traefik"]);
  assert.deepEqual(names("grpc"), ["sallyport", "haproxy", "nginx", "envoy", "traefik"]);
  assert.deepEqual(names("udp"), ["sallyport", "nginx", "envoy", "traefik"]);
  assert.ok(names("vary").includes("node:http+undici"));
  assert.ok(choicesFor(scenario("tcp"), peers).every(({ front }) => front === "tcp"));
});

test("every target that a budget names exists in its scenario", () => {
  for (const { scenario: name, target, against } of readBudgets()) {
    const names = targetNames(name);
    assert.ok(names.includes(target), `${name}: ${target}`);
    assert.ok(against === undefined || names.includes(against), `${name}: ${against}`);
  }
});

function targetNames(name: string): readonly string[] {
  const found = scenarios.find((candidate) => candidate.name === name);
  if (found?.kind === "load") return choicesFor(found, peers).map((choice) => choice.name);
  const able = peers.filter(({ fronts }) => found !== undefined && fronts.includes(found.front));
  return able.flatMap((peer) => (found?.kind === "flood" ? [peer.name, floodedName(peer.name)] : [peer.name]));
}
