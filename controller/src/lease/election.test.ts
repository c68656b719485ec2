import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "@sallyport/testkit/random";
import { runs } from "@sallyport/testkit/runs";
import { defaultLeaseTimes, Election } from "./election.ts";
import type { ElectionResult, ElectionStep, LeaseSpec } from "./election.ts";

/** The Lease as a server keeps it. */
class LeaseServer {
  spec: LeaseSpec | undefined;
  version = 0;

  carryOut(step: ElectionStep): ElectionResult {
    if (step.do === "read") return this.#show();
    if (step.do === "wait") throw new Error("a wait is no request");
    const fits = step.do === "create" ? this.spec === undefined : step.resourceVersion === String(this.version);
    if (!fits) return { is: "conflict" };
    this.spec = step.spec;
    this.version++;
    return this.#show();
  }

  #show(): ElectionResult {
    if (this.spec === undefined) return { is: "absent" };
    return { is: "lease", lease: { metadata: { resourceVersion: String(this.version) }, spec: this.spec } };
  }
}

/** A candidate with a clock of its own that runs at a rate of its own. */
class Runner {
  readonly election: Election;
  readonly #offset: number;
  readonly #rate: number;

  constructor(name: string, random: () => number, rate: number) {
    this.election = new Election(name, defaultLeaseTimes, random);
    this.#offset = random() * 1e9;
    this.#rate = rate;
  }

  clockAt(time: number): number {
    return this.#offset + time * this.#rate;
  }

  /** How long a wait by its clock is in truth. */
  toTruth(millis: number): number {
    return millis / this.#rate;
  }
}

interface Trouble {
  /** Part of the requests that never reach the server, and of the answers that are lost. */
  readonly lost: number;
  readonly longestDelay: number;
  /** Part of the steps before which a candidate stands still for a while. */
  readonly pauses: number;
}

class Simulation {
  readonly server = new LeaseServer();
  readonly runners: readonly Runner[];
  readonly #random: () => number;
  readonly #agenda: { readonly at: number; readonly act: () => void }[] = [];
  readonly #trouble: Trouble;
  time = 0;
  leaders: string[] = [];
  changes = 0;

  constructor(seed: number, trouble: Trouble, fastest: number) {
    this.#random = seeded(seed);
    this.#trouble = trouble;
    this.runners = Array.from(
      { length: 2 + Math.floor(this.#random() * 3) },
      (_, index) => new Runner(`r${index}`, this.#random, this.#random() < 0.5 ? 1 : fastest),
    );
    for (const runner of this.runners) this.#plan(this.#random() * 1000, () => this.#step(runner));
  }

  run(until: number): void {
    while (this.time < until) {
      this.#agenda.sort((left, right) => left.at - right.at);
      const next = this.#agenda.shift();
      assert.ok(next);
      // Leaders end by the clock alone, so moments between events count too.
      for (const at of [(this.time + next.at) / 2, next.at]) this.#check(at);
      this.time = next.at;
      next.act();
      this.#check(this.time);
    }
  }

  leadersAt(time: number): string[] {
    return this.runners
      .filter((runner) => runner.election.isLeader(runner.clockAt(time)))
      .map((runner) => `r${this.runners.indexOf(runner)}`);
  }

  #check(time: number): void {
    const leaders = this.leadersAt(time);
    assert.ok(leaders.length <= 1, `${leaders.join(" and ")} lead at ${time}`);
    if (leaders.length === 1 && leaders[0] !== this.leaders.at(-1)) this.leaders.push(leaders[0] ?? "");
  }

  #plan(delay: number, act: () => void): void {
    this.#agenda.push({ at: this.time + delay, act });
  }

  #step(runner: Runner): void {
    if (this.#random() < this.#trouble.pauses) {
      // A pause of the whole process: it neither asks nor listens, and may believe what it believed.
      this.#plan(this.#random() * 30_000, () => this.#step(runner));
      return;
    }
    const step = runner.election.next({ now: runner.clockAt(this.time), wall: 0 });
    if (step.do === "wait") this.#plan(runner.toTruth(step.millis), () => this.#step(runner));
    else this.#send(runner, step);
  }

  /** Mostly short, so that the slow ones among them meet others that are fast. */
  #toDelay(): number {
    return this.#random() < 0.2 ? this.#random() * this.#trouble.longestDelay : this.#random() * 50;
  }

  #send(runner: Runner, step: ElectionStep): void {
    const { lost } = this.#trouble;
    const [there, back] = [this.#toDelay(), this.#toDelay()];
    const [isRequestLost, isAnswerLost] = [this.#random() < lost, this.#random() < lost];
    let result: ElectionResult = { is: "failed" };
    if (!isRequestLost)
      this.#plan(there, () => {
        const answer = this.server.carryOut(step);
        if (!isAnswerLost) result = answer;
      });
    const wait = isRequestLost || isAnswerLost ? 5000 : there + back;
    this.#plan(wait, () => {
      runner.election.take(result, runner.clockAt(this.time));
      this.#step(runner);
    });
  }
}

test("there are never two leaders, whatever is lost, as long as clocks differ by less than the lease allows", () => {
  let handovers = 0;
  for (let seed = 1; seed <= runs(75); seed++) {
    const simulation = new Simulation(
      seed,
      { lost: (seed % 10) / 15, longestDelay: 200 + (seed % 7) * 1500, pauses: 0.03 },
      1.49,
    );
    simulation.run(600_000);
    handovers += simulation.leaders.length - 1;
  }
  assert.ok(handovers > runs(50), `only ${handovers} hand-overs: nothing was tried`);
});

test("where nothing is lost somebody leads within seconds, and goes on leading", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const simulation = new Simulation(seed, { lost: 0, longestDelay: 50, pauses: 0 }, 1.1);
    simulation.run(20_000);
    assert.equal(simulation.leadersAt(simulation.time).length, 1);
  }
});

interface Candidate {
  readonly election: Election;
  now: number;
}

function step(candidate: Candidate, server: LeaseServer): ElectionStep {
  const next = candidate.election.next({ now: candidate.now, wall: 0 });
  if (next.do === "wait") candidate.now += next.millis;
  else candidate.election.take(server.carryOut(next), candidate.now);
  return next;
}

function candidate(name: string): Candidate {
  return { election: new Election(name, defaultLeaseTimes, seeded(1)), now: 5 };
}

test("the first candidate makes the Lease and renews it every two seconds", () => {
  const [one, server] = [candidate("one"), new LeaseServer()];
  const steps = Array.from({ length: 6 }, () => step(one, server));
  assert.deepEqual(
    steps.map((each) => each.do),
    ["read", "create", "wait", "replace", "wait", "replace"],
  );
  assert.deepEqual(server.spec, {
    holderIdentity: "one",
    leaseDurationSeconds: 15,
    acquireTime: "1970-01-01T00:00:00.000000Z",
    renewTime: "1970-01-01T00:00:00.000000Z",
    leaseTransitions: 0,
  });
  assert.ok(one.election.isLeader(one.now));
});

test("a leader that cannot renew stops leading after ten seconds, counted from when it last sent", () => {
  const [one, server] = [candidate("one"), new LeaseServer()];
  step(one, server);
  step(one, server);
  const sent = one.now;
  assert.equal(one.election.isLeader(sent + 9999), true);
  assert.equal(one.election.isLeader(sent + 10_000), false);
});

test("after a release the next leads at its next look, and the count of transitions goes up", () => {
  const [one, two, server] = [candidate("one"), candidate("two"), new LeaseServer()];
  step(one, server);
  step(one, server);
  assert.equal(step(two, server).do, "read");
  assert.equal(step(two, server).do, "wait");
  const release = one.election.release({ now: one.now, wall: 0 });
  assert.ok(release);
  assert.equal(one.election.isLeader(one.now), false);
  server.carryOut(release);
  assert.equal(step(two, server).do, "read");
  assert.equal(step(two, server).do, "replace");
  assert.ok(two.election.isLeader(two.now));
  assert.equal(server.spec?.leaseTransitions, 1);
});

test("who comes back under the same name goes on at once", () => {
  const [one, server] = [candidate("one"), new LeaseServer()];
  step(one, server);
  step(one, server);
  const again = candidate("one");
  assert.equal(step(again, server).do, "read");
  assert.equal(step(again, server).do, "replace");
  assert.ok(again.election.isLeader(again.now));
  assert.equal(server.spec?.leaseTransitions, 0);
});

test("a renewal whose answer was lost is found by looking, not taken for a foreign hand", () => {
  const [one, server] = [candidate("one"), new LeaseServer()];
  step(one, server);
  step(one, server);
  step(one, server);
  const renewal = one.election.next({ now: one.now, wall: 0 });
  server.carryOut(renewal);
  one.election.take({ is: "failed" }, one.now);
  assert.deepEqual(
    [step(one, server), step(one, server), step(one, server)].map((each) => each.do),
    ["wait", "read", "replace"],
  );
  assert.ok(one.election.isLeader(one.now));
});
