import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import type { OutlierDetection } from "@sallyport/model/traffic";
import { Crew, toLabels } from "../../../test/cluster/health-crew.ts";
import { EndpointWords } from "../../observe/health-words.ts";
import { eject } from "./outlier.ts";
import { compileOutlierRules } from "./outlier-rules.ts";

const DETECTION: OutlierDetection = {
  consecutive5xx: 3,
  consecutiveGatewayErrors: 0,
  splitLocalOrigin: false,
  consecutiveLocalOrigin: 0,
  interval: 1_000,
  baseEjectionTime: 100,
  maxEjectionTime: 350,
  maxEjectionPercent: 100,
};
const SHAPE = { workers: 2, slots: 64 };
const LOOK = 50;
const [FIRST = ""] = toLabels(1);

function open(changes: Partial<OutlierDetection> = {}, endpoints = 2): Crew {
  return new Crew({
    shape: SHAPE,
    config: { outlierDetection: { ...DETECTION, ...changes } },
    labels: toLabels(endpoints),
  });
}

/** Tries of a worker on an endpoint end so, one after the other. What it is then. */
function note(crew: Crew, outcomes: readonly (number | FaultReason)[], label = FIRST, worker = 0): string {
  const host = crew.host(worker, label);
  for (const outcome of outcomes) {
    if (typeof outcome === "number") host.noteAnswer(outcome);
    else host.noteFailure(outcome);
  }
  return host.fitness;
}

test("so many failures in a row, whoever saw them, eject at once; all others know within one look", () => {
  const crew = open();
  note(crew, [500, 200, 500, 503]);
  assert.equal(note(crew, [], FIRST), "fit");
  assert.equal(note(crew, [599], FIRST, 1), "ejected");
  assert.equal(crew.members[1]?.refreshes, 1);
  assert.equal(crew.host(0, FIRST).fitness, "fit");
  crew.pass(LOOK);
  assert.equal(crew.host(0, FIRST).fitness, "ejected");
  assert.equal(crew.members[0]?.refreshes, 1);
  assert.deepEqual(crew.lines, [
    {
      worker: 1,
      message: "endpoint ejected",
      fields: {
        cluster: "default/web:80",
        endpoint: FIRST,
        cause: "consecutive-5xx",
        inARow: 3,
        forMs: 100,
        times: 1,
      },
    },
  ]);
});

test("while nothing changes, workers look whether something did, and at nothing else", () => {
  const crew = open({ baseEjectionTime: 1_000_000, maxEjectionTime: 1_000_000 });
  note(crew, [500, 500, 500]);
  crew.pass(LOOK);
  crew.clockReads = 0;
  crew.pass(10 * LOOK);
  assert.equal(crew.clockReads, 10 * SHAPE.workers);
});

test("it is back when its time is over, with rows that begin anew, and one worker says so", () => {
  const crew = open();
  note(crew, [500, 500, 500, 500, 500]);
  crew.pass(100 + LOOK);
  assert.deepEqual(
    [0, 1].map((worker) => crew.host(worker, FIRST).fitness),
    ["fit", "fit"],
  );
  assert.ok(Math.abs(crew.host(1, FIRST).fitSince - 1100) <= LOOK, `fit since ${crew.host(1, FIRST).fitSince}`);
  assert.equal(crew.lines.filter(({ message }) => message === "endpoint is back after its ejection").length, 1);
  assert.equal(note(crew, [500, 500]), "fit");
  assert.equal(note(crew, [500]), "ejected");
});

test("each time it is out longer, up to the most; each interval in between takes one off", () => {
  const crew = open();
  const times = (): unknown => crew.lines.findLast(({ message }) => message === "endpoint ejected")?.fields["forMs"];
  const seen: unknown[] = [];
  for (const calm of [0, 0, 0, 0, 0, 949, 1949, 1_000_000]) {
    crew.pass(calm);
    note(crew, [500, 500, 500]);
    seen.push(times());
    crew.pass(350 + LOOK);
  }
  // 50 are calm after each of the longest: with 949 more that is not quite one interval, with 1949 not quite two
  assert.deepEqual(seen, [100, 200, 300, 350, 350, 350, 350, 100]);
});

test("who failed for long is trusted again as soon as who failed for as long as makes a difference", () => {
  const crew = open();
  for (let n = 0; n < 20; n++) {
    note(crew, [500, 500, 500]);
    crew.pass(350 + LOOK);
  }
  crew.pass(4_000);
  note(crew, [500, 500, 500]);
  assert.equal(crew.lines.at(-1)?.fields["forMs"], 100);
});

test("whether an ejection is still due is looked at under the lock: a success may have come before", () => {
  const words = new EndpointWords();
  const rules = compileOutlierRules(DETECTION);
  const [rule] = rules.failure.counts;
  assert.ok(rule !== undefined);
  const due = { rule, peers: { all: 2, ejected: 0 }, now: 5 };
  words.set(rule.word, 2);
  assert.equal(eject(words, rules, due).kind, "late");
  words.set(rule.word, 3);
  assert.equal(eject(words, rules, due).kind, "ejected");
  words.set(rule.word, 3);
  assert.equal(eject(words, rules, due).kind, "late");
});

test("endpoints that are gone, but for the requests on them, leave no room for ejections", () => {
  const crew = open({ maxEjectionPercent: 50 }, 4);
  const [one = "", other = "", third = "", fourth = ""] = crew.labels;
  crew.host(0, third).state = crew.host(0, fourth).state = "removed";
  assert.equal(note(crew, [500, 500, 500], third), "fit");
  assert.equal(note(crew, [500, 500, 500], one), "ejected");
  assert.equal(note(crew, [500, 500, 500], other), "fit");
});

test("answers are counted by their status: others than 5xx where they are named, gateway errors by themselves", () => {
  assert.equal(note(open({ statuses: [429] }), [429, 429, 429]), "ejected");
  assert.equal(note(open({ statuses: [429] }), [500, 500, 500]), "fit");
  const gateway = { consecutive5xx: 0, consecutiveGatewayErrors: 2 };
  assert.equal(note(open(gateway), [500, 500, 500, 500]), "fit");
  assert.equal(note(open(gateway), [502, 500, 504]), "fit");
  assert.equal(note(open(gateway), [502, 504]), "ejected");
  assert.equal(note(open(gateway), [503, "connect-failure"]), "ejected");
  assert.equal(note(open({ statuses: [500], ...gateway }), [502, 502]), "ejected");
});

test("failures without an answer count as 5xx, or on their own", () => {
  assert.equal(note(open(), [500, "upstream-timeout", "connect-timeout"]), "ejected");
  const split = { splitLocalOrigin: true, consecutiveLocalOrigin: 2 };
  assert.equal(note(open(split), [500, 500, "connect-failure"]), "fit");
  assert.equal(note(open(split), ["connect-failure", 500, "connect-failure", 200, "upstream-reset"]), "fit");
  assert.equal(note(open(split), ["connect-failure", "upstream-reset"]), "ejected");
  assert.equal(note(open(split), [500, "connect-failure", 500, 500]), "ejected");
});

test("only what is the doing of the endpoint, or of the way there, counts against it", () => {
  const counted: string[] = [];
  for (const reason of Object.keys(FAULTS)) {
    if (note(open({ consecutive5xx: 1 }), [reason as FaultReason]) === "ejected") counted.push(reason);
  }
  assert.deepEqual(counted, [
    "connect-failure",
    "connect-timeout",
    "upstream-tls-failure",
    "upstream-reset",
    "upstream-closed",
    "upstream-refused",
    "upstream-protocol-error",
    "upstream-timeout",
  ]);
});

test("no more are ejected than the percentage allows, but one always where another is left", () => {
  const eject = (crew: Crew): number => {
    for (const label of crew.labels) note(crew, [500, 500, 500], label);
    return crew.labels.filter((label) => crew.host(0, label).fitness === "ejected").length;
  };
  assert.equal(eject(open({ maxEjectionPercent: 0 }, 1)), 0);
  assert.equal(eject(open({ maxEjectionPercent: 99 }, 1)), 0);
  assert.equal(eject(open({ maxEjectionPercent: 100 }, 1)), 1);
  assert.equal(eject(open({ maxEjectionPercent: 0 }, 2)), 1);
  assert.equal(eject(open({ maxEjectionPercent: 10 }, 19)), 1);
  assert.equal(eject(open({ maxEjectionPercent: 10 }, 20)), 2);
  assert.equal(eject(open({ maxEjectionPercent: 50 }, 5)), 2);
  const crowded = open({ maxEjectionPercent: 50 }, 3);
  eject(crowded);
  const prevented = crowded.lines.filter(({ message }) => message === "endpoint should be ejected, but too many are");
  assert.equal(prevented.length, 2);
});

test("without outlier detection nothing is counted; switched off, it takes back whom it ejected", () => {
  const crew = open();
  note(crew, [500, 500, 500]);
  const { outlierDetection: _, ...config } = crew.config;
  for (const { health } of crew.members) health.update(config, undefined);
  assert.equal(note(crew, [500, 500, 500]), "fit");
  for (const { health } of crew.members) health.update(crew.config, undefined);
  assert.equal(note(crew, [500, 500]), "fit");
});

test("an endpoint without a slot is ejected by each worker for itself", () => {
  const crew = new Crew({
    shape: { workers: 2, slots: 1 },
    config: { outlierDetection: DETECTION },
    labels: toLabels(2),
  });
  const [one, other = ""] = crew.labels;
  assert.equal(note(crew, [500, 500, 500], other), "ejected");
  crew.pass(LOOK);
  assert.equal(crew.host(1, other).fitness, "fit");
  crew.pass(100);
  assert.equal(crew.host(0, other).fitness, "fit");
  assert.equal(note(crew, [500, 500, 500], one), "ejected");
});

test("a worker that is put in the place of a dead one knows who is ejected", () => {
  const crew = open();
  note(crew, [500, 500, 500]);
  const [dead] = crew.members;
  if (dead !== undefined) crew.bury(dead);
  crew.replace(0);
  assert.equal(crew.host(0, FIRST).fitness, "ejected");
  crew.pass(100 + LOOK);
  assert.equal(crew.host(0, FIRST).fitness, "fit");
});
