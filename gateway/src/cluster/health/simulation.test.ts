/**
 * Random histories of several workers on one table: requests that fail and succeed, checks, time, endpoints that come and go, workers that
 * are killed in the middle of whatever they do. After each event the invariants hold.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutlierDetection } from "@sallyport/model/traffic";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { runs } from "@sallyport/testkit/runs";
import { Crew, toLabels } from "../../../test/cluster/health-crew.ts";
import { TIME, WORD } from "../../observe/health-words.ts";
import { isEjected } from "./outlier.ts";

const WORKERS = 3;
const LOOK = 50;
const SHAPE = { workers: WORKERS, slots: 64 };

/** What the rows of an endpoint are, kept apart from the code under test. */
interface Rows {
  server: number;
  gateway: number;
  local: number;
}

class Oracle {
  readonly #rows = new Map<string, Rows>();

  of(label: string): Rows {
    const rows = this.#rows.get(label) ?? { server: 0, gateway: 0, local: 0 };
    this.#rows.set(label, rows);
    return rows;
  }

  answer(label: string, status: number): void {
    const rows = this.of(label);
    rows.local = 0;
    rows.server = status >= 500 ? rows.server + 1 : 0;
    rows.gateway = status >= 502 && status <= 504 ? rows.gateway + 1 : 0;
  }

  failure(label: string, { splitLocalOrigin }: OutlierDetection): void {
    const rows = this.of(label);
    if (splitLocalOrigin) rows.local++;
    else {
      rows.server++;
      rows.gateway++;
    }
  }

  /** Rows are as they are, or one longer than they were. */
  widen(label: string, before: Rows): void {
    const rows = this.of(label);
    rows.server = Math.max(rows.server, before.server + 1);
    rows.gateway = Math.max(rows.gateway, before.gateway + 1);
    rows.local = Math.max(rows.local, before.local + 1);
  }

  forget(label: string): void {
    this.#rows.delete(label);
  }
}

function toDetection(random: () => number): OutlierDetection {
  return {
    consecutive5xx: pick(random, [0, 1, 3, 5]),
    consecutiveGatewayErrors: pick(random, [0, 2, 4]),
    splitLocalOrigin: random() < 0.5,
    consecutiveLocalOrigin: pick(random, [0, 2]),
    interval: pick(random, [100, 1000]),
    baseEjectionTime: pick(random, [50, 200]),
    maxEjectionTime: pick(random, [10, 500]),
    maxEjectionPercent: pick(random, [0, 10, 40, 100]),
  };
}

function countEjected(crew: Crew): number {
  const member = crew.living[0];
  if (member === undefined) return 0;
  const hosts = [...member.hosts.values()];
  return hosts.filter(({ slot }) => isEjected(crew.table.health.words(slot), crew.now)).length;
}

/** The lines about ejections since the last look are of rows that were long enough, and no longer than they may be. */
function checkEjections(crew: Crew, oracle: Oracle, config: OutlierDetection): void {
  for (const { message, fields } of crew.lines.splice(0)) {
    if (message !== "endpoint ejected") continue;
    const rows = oracle.of(String(fields["endpoint"]));
    const reached: Record<string, [number, number]> = {
      "consecutive-5xx": [rows.server, config.consecutive5xx],
      "consecutive-gateway-errors": [rows.gateway, config.consecutiveGatewayErrors],
      "consecutive-local-origin": [rows.local, config.consecutiveLocalOrigin],
    };
    const [row, threshold] = reached[String(fields["cause"])] ?? [0, 0];
    assert.ok(threshold > 0 && row >= threshold, `ejected after ${row} of ${threshold}: ${JSON.stringify(fields)}`);
    const longest = Math.max(config.baseEjectionTime, config.maxEjectionTime);
    const time = Number(fields["forMs"]);
    assert.ok(time >= config.baseEjectionTime && time <= longest, `ejected for ${time} ms`);
    oracle.forget(String(fields["endpoint"]));
  }
}

function checkPercentage(crew: Crew, { maxEjectionPercent }: OutlierDetection): void {
  const ejected = countEjected(crew);
  const allowed = Math.floor((crew.labels.length * maxEjectionPercent) / 100);
  const most = Math.max(crew.labels.length > 1 ? 1 : 0, allowed);
  assert.ok(ejected <= most, `${ejected} of ${crew.labels.length} ejected, ${most} may be`);
}

/** Once all have looked, all see the same; once no request fails any more, nothing stays ejected. */
function checkEnd(crew: Crew, { baseEjectionTime, maxEjectionTime }: OutlierDetection): void {
  crew.pass(Math.max(baseEjectionTime, maxEjectionTime) + 2 * LOOK);
  for (const { hosts, worker } of crew.living) {
    for (const host of hosts.values()) {
      assert.equal(host.fitness, "fit", `${host.label} in worker ${worker}`);
      const words = crew.table.health.words(host.slot);
      assert.equal(words.get(WORD.ejected), 0);
    }
  }
}

function runFailures(seed: number): void {
  const random = seeded(seed);
  const config = toDetection(random);
  const crew = new Crew({
    shape: SHAPE,
    config: { outlierDetection: config },
    labels: toLabels(1 + below(random, 6)),
    random,
  });
  const oracle = new Oracle();
  const bias = random();
  /** A try of this worker on this endpoint ends so. */
  const end = (worker: number, label: string, outcome: number | "connect-failure"): void => {
    if (!crew.isAlive(worker)) return;
    const before = { ...oracle.of(label) };
    if (outcome === "connect-failure") oracle.failure(label, config);
    else oracle.answer(label, outcome);
    crew.act(worker, ({ hosts }) => {
      const host = hosts.get(label);
      if (outcome === "connect-failure") host?.noteFailure(outcome);
      else host?.noteAnswer(outcome);
    });
    // who was killed over it may have counted, and not have ended what it should have
    if (!crew.isAlive(worker)) oracle.widen(label, before);
  };
  for (let event = 0; event < 300; event++) {
    const worker = below(random, WORKERS);
    const label = pick(random, ["", ...crew.labels]) || (crew.labels[0] ?? "");
    const roll = random();
    if (roll < 0.02) lightFuse(crew, worker, below(random, 12));
    else if (roll < 0.06) crew.replace(worker);
    else if (roll < 0.2) crew.pass(below(random, 150));
    else if (roll < 0.2 + 0.8 * bias) end(worker, label, pick(random, [500, 502, 503, 599]));
    else if (roll < 0.2 + 0.8 * bias + 0.1) end(worker, label, "connect-failure");
    else end(worker, label, pick(random, [200, 404]));
    checkEjections(crew, oracle, config);
    checkPercentage(crew, config);
  }
  checkEnd(crew, config);
}

test("whatever happens, endpoints are ejected for rows that were seen, as many as may be, and come back", () => {
  for (let seed = 1; seed <= runs(150); seed++) {
    try {
      runFailures(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

/** Each endpoint is checked by one living worker. */
function checkCheckers(crew: Crew): void {
  for (const label of crew.labels) {
    const checking = crew.living.filter(({ hosts }) => hosts.get(label)?.health?.checker !== undefined);
    assert.equal(checking.length, 1, `${label} is checked by ${checking.length}`);
    const slot = crew.living[0]?.hosts.get(label)?.slot ?? 0;
    assert.equal(crew.table.health.words(slot).get(WORD.checker), (checking[0]?.worker ?? 0) + 1);
  }
}

/** One event: a worker is about to die or is replaced, endpoints come and go or fall ill, or time passes. */
function happen(
  crew: Crew,
  random: () => number,
  { all, ill }: { readonly all: readonly string[]; readonly ill: Set<string> },
): void {
  const roll = random();
  const worker = below(random, WORKERS);
  if (roll < 0.1) lightFuse(crew, worker, below(random, 12));
  else if (roll < 0.25) crew.replace(worker);
  else if (roll < 0.35) {
    crew.labels = all.filter(() => random() < 0.5);
    for (const { worker: one } of crew.living) crew.act(one, (living) => living.follow(crew));
  } else if (roll < 0.5) {
    const label = pick(random, ["", ...all]);
    if (!ill.delete(label)) ill.add(label);
  } else crew.pass(below(random, 200));
}

/** One worker at least goes on. */
function lightFuse(crew: Crew, worker: number, operations: number): void {
  const member = crew.members[worker];
  if (member !== undefined && crew.living.length > 1) member.fuse = operations;
}

function runChecks(seed: number): void {
  const random = seeded(seed);
  const healthCheck = {
    probe: { kind: "tcp" },
    interval: 100,
    unhealthyInterval: 40,
    timeout: 10,
    unhealthyThreshold: 1 + below(random, 3),
    healthyThreshold: 1 + below(random, 3),
  } as const;
  const all = toLabels(6);
  const crew = new Crew({ shape: SHAPE, config: { healthCheck }, labels: all.slice(0, 3), random });
  const ill = new Set<string>();
  crew.wellness = (label) => ({ outcome: ill.has(label) ? "failed" : "passed", detail: "" });
  for (let event = 0; event < 60; event++) happen(crew, random, { all, ill });
  for (const one of crew.members) one.fuse = Number.POSITIVE_INFINITY;
  for (let worker = 0; worker < WORKERS; worker++) crew.replace(worker);
  // as many checks as the thresholds ask for, and one more that was under way
  crew.pass(4 * 105 + 2 * LOOK);
  checkCheckers(crew);
  for (const { hosts } of crew.living)
    for (const { label, fitness } of hosts.values()) assert.equal(fitness, ill.has(label) ? "unhealthy" : "fit", label);
}

test("whatever happens, one worker checks each endpoint, and all know what it found", () => {
  for (let seed = 1; seed <= runs(150); seed++) {
    try {
      runChecks(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

test("a slot that is used again knows nothing of who had it before", () => {
  const random = seeded(7);
  const config = { ...toDetection(random), consecutive5xx: 2, maxEjectionPercent: 100, baseEjectionTime: 1_000_000 };
  const shape = { workers: 1, slots: 8 };
  const crew = new Crew({ shape, config: { outlierDetection: config }, labels: ["10.0.0.1:80"] });
  for (let n = 1; n <= 100; n++) {
    crew.labels = [`10.0.0.${n}:80`, `10.0.1.${n}:80`];
    crew.members[0]?.follow(crew);
    for (const label of crew.labels) {
      const host = crew.host(0, label);
      const words = crew.table.health.words(host.slot);
      for (const word of Object.values(WORD)) assert.equal(words.get(word), 0, `${label} word ${word}`);
      for (const time of Object.values(TIME)) assert.equal(words.time(time), 0);
      assert.equal(host.fitness, "fit");
      for (let i = 0; i < 2; i++) host.noteAnswer(500);
      assert.equal(host.fitness, "ejected");
      words.set(WORD.verdict, 2);
      words.set(WORD.streak, -3);
      words.set(WORD.checker, 1);
    }
  }
});
