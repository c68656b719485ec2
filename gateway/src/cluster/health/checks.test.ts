import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "@sallyport/model/cluster";
import type { HealthCheck } from "@sallyport/model/traffic";
import { Crew, type CrewOptions, toEndpoint, toLabels } from "../../../test/cluster/health-crew.ts";
import { EndpointHost } from "../endpoint-host.ts";
import { ClusterHealth } from "./cluster-health.ts";

const CHECK: HealthCheck = {
  probe: { kind: "tcp" },
  interval: 1_000,
  unhealthyInterval: 200,
  timeout: 100,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
};
const OUTLIERS: Cluster["outlierDetection"] = {
  consecutive5xx: 1,
  consecutiveGatewayErrors: 0,
  splitLocalOrigin: false,
  consecutiveLocalOrigin: 0,
  interval: 1_000,
  baseEjectionTime: 2_000,
  maxEjectionTime: 2_000,
  maxEjectionPercent: 100,
};
const LOOK = 50;
const [FIRST = ""] = toLabels(1);

function open(options: Partial<CrewOptions> = {}): Crew {
  return new Crew({
    shape: { workers: 2, slots: 256 },
    config: { healthCheck: CHECK },
    labels: [FIRST],
    // no jitter
    random: () => 0,
    ...options,
  });
}

/** What both workers take it for. */
function fitness(crew: Crew, label = FIRST): string {
  return [...new Set(crew.living.map(({ worker }) => crew.host(worker, label).fitness))].join(" or ");
}

function countChecks(crew: Crew): number {
  return [...crew.checks.values()].reduce((sum, count) => sum + count, 0);
}

test("the first check decides by itself, others in a row of so many", () => {
  const crew = open();
  let outcome: "passed" | "failed" | "timed-out" = "failed";
  crew.wellness = () => ({ outcome, detail: "answered 503" });
  assert.equal(fitness(crew), "unchecked");
  crew.pass(5 + LOOK);
  assert.equal(fitness(crew), "unhealthy");
  const seen: string[] = [];
  for (const next of ["passed", "failed", "passed", "passed"] as const) {
    outcome = next;
    crew.pass(205);
    seen.push(fitness(crew));
  }
  assert.deepEqual(seen, ["unhealthy", "unhealthy", "unhealthy", "fit"]);
  seen.length = 0;
  for (const next of ["failed", "timed-out", "passed", "failed", "failed", "timed-out"] as const) {
    outcome = next;
    crew.pass(1005);
    seen.push(fitness(crew));
  }
  assert.deepEqual(seen, ["fit", "fit", "fit", "fit", "fit", "unhealthy"]);
  assert.deepEqual(
    crew.lines.map(({ message, fields }) => [message, fields["endpoint"], fields["reason"]]),
    [
      ["endpoint is unhealthy: its health check fails", FIRST, "answered 503"],
      ["endpoint is healthy", FIRST, undefined],
      ["endpoint is unhealthy: its health check fails", FIRST, "answered 503"],
    ],
  );
});

test("there are two intervals, and a tenth of each is left to chance", () => {
  let chance = 0;
  const crew = open({ random: () => chance });
  crew.pass(5);
  assert.equal(countChecks(crew), 1);
  chance = 0.99;
  crew.pass(999);
  assert.equal(countChecks(crew), 1);
  crew.pass(1);
  assert.equal(countChecks(crew), 2);
  crew.pass(5 + 901);
  assert.equal(countChecks(crew), 3);
});

test("who checks an endpoint is followed by another worker when it dies, or has the endpoint no more", () => {
  for (const end of ["dies", "leaves", "forgets"] as const) {
    const crew = open();
    crew.pass(5 + LOOK);
    const checker = crew.members.find(({ hosts }) => hosts.get(FIRST)?.health?.checker !== undefined);
    assert.ok(checker !== undefined);
    const before = countChecks(crew);
    const host = crew.host(checker.worker, FIRST);
    if (end === "dies") crew.bury(checker);
    else if (end === "leaves") {
      host.state = "removed";
      checker.health.follow();
    } else {
      checker.hosts.delete(FIRST);
      host.release();
    }
    crew.pass(LOOK + 5);
    assert.equal(countChecks(crew), before + 1, end);
    crew.pass(1_005);
    assert.equal(countChecks(crew), before + 2, end);
  }
});

test("who checks an endpoint goes on alone when another worker dies", () => {
  const crew = open({ shape: { workers: 3, slots: 256 } });
  crew.pass(5 + LOOK);
  const idle = crew.members.find(({ hosts }) => hosts.get(FIRST)?.health?.checker === undefined);
  assert.ok(idle !== undefined);
  crew.bury(idle);
  crew.replace(idle.worker);
  crew.pass(2_010);
  assert.equal(countChecks(crew), 3);
});

test("only so many endpoints are checked at once, and all of them are", () => {
  const crew = open({ shape: { workers: 1, slots: 1024 }, labels: toLabels(200) });
  crew.checkTime = 10;
  crew.pass(9);
  assert.equal(countChecks(crew), 64);
  crew.pass(10);
  assert.equal(countChecks(crew), 128);
  crew.pass(30);
  assert.equal(countChecks(crew), 200);
  for (const label of crew.labels) assert.equal(fitness(crew, label), "fit");
});

test("endpoints that never answer hold up the checks of their own namespace alone", () => {
  const crew = open({ shape: { workers: 1, slots: 1024 }, labels: toLabels(100) });
  const [member] = crew.members;
  assert.ok(member !== undefined);
  // nobody answers there, and the owner waits for ten minutes
  crew.checkTime = 600_000;
  crew.pass(1);
  assert.equal(countChecks(crew), 64);
  crew.checkTime = 5;
  for (const [key, label, expected] of [
    ["default/other:80", "10.1.0.1:80", "unchecked"],
    ["shop/web:80", "10.2.0.1:80", "fit"],
  ] as const) {
    const host = new EndpointHost(toEndpoint(label), key, member.table);
    const health = new ClusterHealth(member.watch, [host], { key, refresh: () => undefined });
    health.update({ ...crew.config, key }, undefined);
    crew.pass(LOOK + 10);
    assert.equal(host.fitness, expected, key);
  }
});

test("nothing is checked any more once the cluster is gone, or asks for no checks", () => {
  for (const end of ["stop", "update"] as const) {
    const crew = open({ labels: toLabels(100) });
    crew.pass(2);
    const before = countChecks(crew);
    const { healthCheck: _, ...config } = crew.config;
    for (const { health } of crew.members) {
      if (end === "stop") health.stop();
      else health.update(config, undefined);
    }
    crew.pass(5_000);
    assert.equal(countChecks(crew), before, end);
    if (end === "update") assert.equal(fitness(crew), "fit");
  }
});

test("a cluster that is gone checks nothing again when requests that are still on it fail", () => {
  const crew = open({ shape: { workers: 1, slots: 128 }, config: { healthCheck: CHECK, outlierDetection: OUTLIERS } });
  crew.pass(5 + LOOK);
  const [member] = crew.members;
  const before = countChecks(crew);
  member?.health.stop();
  crew.host(0, FIRST).noteAnswer(500);
  crew.pass(5_000);
  assert.equal(countChecks(crew), before);
  assert.equal(crew.host(0, FIRST).health?.checker, undefined);
});

test("an endpoint that is ejected and unhealthy comes back when it is neither", () => {
  const crew = open({ config: { healthCheck: CHECK, outlierDetection: OUTLIERS }, labels: toLabels(2) });
  crew.pass(5 + LOOK);
  crew.host(0, FIRST).noteAnswer(500);
  crew.wellness = () => ({ outcome: "failed", detail: "" });
  crew.pass(LOOK);
  assert.equal(fitness(crew), "ejected");
  crew.pass(4_000);
  assert.equal(fitness(crew), "unhealthy");
  crew.wellness = () => ({ outcome: "passed", detail: "" });
  crew.pass(500);
  assert.equal(fitness(crew), "fit");
});

test("of very many changes the log has so many lines, and how many more there were", () => {
  const crew = open({ shape: { workers: 1, slots: 1024 }, labels: toLabels(200) });
  crew.wellness = () => ({ outcome: "failed", detail: "connect-failure" });
  crew.pass(100);
  assert.equal(crew.lines.length, 50);
  crew.wellness = () => ({ outcome: "passed", detail: "" });
  crew.pass(20_000);
  const more = crew.lines.find(({ message }) => message.startsWith("more changes"));
  assert.deepEqual(more, undefined);
  crew.wellness = () => ({ outcome: "failed", detail: "connect-failure" });
  crew.pass(20_000);
  assert.ok(crew.lines.some(({ message, fields }) => message.startsWith("more changes") && fields["changes"] === 350));
});
