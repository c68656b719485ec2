/**
 * All that workers count together, at once and in random order: limits of clusters and of endpoints, requests of endpoints, and their
 * health; with configurations that change at another moment in each worker, and workers that are killed in the middle of whatever they
 * do and come back. After each event sums are the living truth and limits hold; in the end no place is taken.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { ActiveTable } from "../../src/observe/active-counts.ts";
import { ClusterCountTable } from "../../src/observe/cluster-counts.ts";
import { CountedWorker, type Ground, type Held } from "./counted-worker.ts";
import { checkChoice, checkEjection, checkPlaces, CountedTruth } from "./counted-truth.ts";
import { type FakeConnection, FakeLeaser, FakeRequest, toEndpoint } from "./fakes.ts";
import { Killed } from "./mortality.ts";
import { toRandomCluster } from "./random-cluster.ts";

/** FUZZ_SEEDS=FROM-TO runs others than these. */
const [FIRST = 1, LAST = 6] = (process.env["FUZZ_SEEDS"] ?? "1-6").split("-").map(Number);
const WORKERS = 4;
const STEPS = 300;
const SLOTS = 64;
const KEYS = ["ns/a:80", "ns/b:80", "other/c:80"] as const;
const PLACES = [1, 2, 3, 4, 5] as const;

interface Alarm {
  readonly at: number;
  readonly worker: CountedWorker;
  readonly run: () => void;
}

class History {
  readonly #random: () => number;
  readonly #ground: Ground;
  readonly #active: ActiveTable;
  readonly #limits: ClusterCountTable;
  readonly #workers: CountedWorker[] = [];
  readonly #configs = new Map<string, Cluster>();
  readonly #endpoints = new Map<string, readonly Endpoint[]>();
  readonly #ill = new Set<string>();
  readonly #truth: CountedTruth;
  #alarms: Alarm[] = [];
  #isConfiguring = false;

  constructor(seed: number) {
    this.#random = seeded(seed);
    const shape = { workers: WORKERS, slots: SLOTS };
    // the supervisor's views: a worker that is none of them
    this.#active = new ActiveTable(shape, WORKERS);
    this.#limits = new ClusterCountTable(shape, WORKERS);
    this.#truth = new CountedTruth(this.#limits);
    this.#ground = {
      shape,
      active: this.#active.buffer,
      limits: this.#limits.buffer,
      now: 1000,
      random: this.#random,
      schedule: (worker, milliseconds, run) => this.#schedule(worker, milliseconds, run),
      shapeConnection: (connection) => {
        if (connection.options.protocol === "http2") connection.capacity = 1 + this.#below(4);
      },
      probe: ({ address }) => ({ outcome: this.#ill.has(address) ? "failed" : "passed", detail: "" }),
      onLine: (worker, message, fields) => {
        if (message === "endpoint ejected") worker.fuse.spare(() => checkEjection(worker, String(fields["cluster"])));
      },
    };
    for (const key of KEYS) this.#configure(key);
    for (let number = 0; number < WORKERS; number++) this.#start(number);
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#pass(this.#below(8));
      this.#happen(this.#workers[this.#below(WORKERS)]);
      // a look costs more than what it looks at
      if (step % 2 === 0) this.#check();
    }
    this.#end();
  }

  #below(n: number): number {
    return below(this.#random, n);
  }

  #some<T>(items: readonly T[]): T | undefined {
    return items[this.#below(items.length)];
  }

  get #living(): readonly CountedWorker[] {
    return this.#workers.filter(({ isAlive }) => isAlive);
  }

  // What happens

  #happen(worker: CountedWorker | undefined): void {
    if (worker === undefined) return;
    const kind = this.#below(100);
    if (!worker.isAlive) {
      if (kind < 30) this.#start(worker.number);
    } else if (kind < 3 && this.#living.length > 1) worker.fuse.left = this.#below(25);
    else if (kind < 6) this.#configure(pick(this.#random, KEYS));
    else if (kind < 14) this.#act(worker, () => this.#apply(worker));
    else if (kind < 16) this.#toggleIllness();
    else if (kind < 20) this.#act(worker, () => worker.table.sweep());
    else this.#act(worker, () => this.#serve(worker, kind));
  }

  #serve(worker: CountedWorker, kind: number): void {
    const one = this.#some(worker.held);
    if (kind < 55 && one !== undefined) this.#acquire(worker, one);
    else if (kind < 86) this.#change(worker, kind);
    else if (one === undefined) return;
    else if (kind < 90) this.#lease(one);
    else if (kind < 93) one.leases.shift()?.held?.release();
    else if (kind < 98) this.#retry(one);
    else this.#cancel(one);
  }

  /** Something happens to a connection. */
  #change(worker: CountedWorker, kind: number): void {
    const one = this.#some([...worker.open]);
    if (kind < 75) this.#finish(this.#some([...worker.open].filter(({ users }) => users.size > 0)));
    else if (kind < 79) one?.fail();
    else if (kind < 83 && one?.connected === true) one.drain();
    else one?.connect();
  }

  #acquire(worker: CountedWorker, one: Held): void {
    // what begins on a runtime that is over is counted apart where nothing else of it is
    if (one.isRetired) return;
    const request = new FakeRequest();
    one.cluster.acquire(request, this.#below(8) === 0);
    if (request.answers === 0) one.waiting.push(request);
    else worker.fuse.spare(() => checkChoice(one, request));
  }

  #finish(connection: FakeConnection | undefined): void {
    if (connection === undefined) return;
    const { endpoint } = connection;
    const isIll = this.#ill.has(endpoint.address);
    endpoint.noteAnswer(isIll && this.#below(4) > 0 ? pick(this.#random, [500, 503]) : 200);
    if (isIll && this.#below(4) === 0) endpoint.noteFailure("upstream-reset");
    connection.finish();
  }

  #lease(one: Held): void {
    if (one.isRetired) return;
    const leaser = new FakeLeaser();
    one.cluster.lease(leaser);
    if (leaser.held !== undefined) one.leases.push(leaser);
  }

  #retry(one: Held): void {
    if (this.#below(2) === 0 && !one.isRetired) one.retries += Number(one.cluster.retries.begin());
    else endRetry(one);
  }

  #cancel(one: Held): void {
    const [request] = one.waiting.splice(0, 1) ?? [];
    if (request !== undefined && request.answers === 0) one.cluster.cancel(request);
  }

  #toggleIllness(): void {
    const address = `10.0.0.${pick(this.#random, PLACES)}`;
    if (!this.#ill.delete(address)) this.#ill.add(address);
  }

  /** Says anew what a cluster is, if it is to be; each worker hears of it in its time. */
  #configure(key: string): void {
    if (this.#below(8) === 0) {
      this.#configs.delete(key);
      return;
    }
    this.#configs.set(key, toRandomCluster(this.#random, key, this.#configs.get(key)?.protocol));
    const places = PLACES.filter(() => this.#below(3) > 0);
    if (this.#endpoints.has(key) && this.#below(2) === 0) return;
    this.#endpoints.set(
      key,
      places.map((n) => toEndpoint(n)),
    );
  }

  #start(number: number): void {
    const worker = new CountedWorker(number, this.#ground);
    this.#workers[number] = worker;
    this.#apply(worker);
  }

  #apply(worker: CountedWorker): void {
    this.#isConfiguring = true;
    worker.apply(this.#configs, this.#endpoints);
  }

  /** A worker does something, which may be its end. */
  #act(worker: CountedWorker, run: () => void): void {
    if (!worker.isAlive) return;
    try {
      run();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      worker.isAlive = false;
      this.#alarms = this.#alarms.filter((alarm) => alarm.worker !== worker);
      this.#active.clearWorker(worker.number);
      this.#limits.clearWorker(worker.number);
    }
  }

  #schedule(worker: CountedWorker, milliseconds: number, run: () => void): () => void {
    const alarm = { at: this.#ground.now + milliseconds, worker, run };
    this.#alarms.push(alarm);
    return () => {
      const at = this.#alarms.indexOf(alarm);
      if (at >= 0) this.#alarms.splice(at, 1);
    };
  }

  #pass(milliseconds: number): void {
    const until = this.#ground.now + milliseconds;
    for (;;) {
      const due = this.#alarms.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
      const [first] = due;
      if (first === undefined) break;
      this.#alarms.splice(this.#alarms.indexOf(first), 1);
      this.#ground.now = Math.max(this.#ground.now, first.at);
      this.#act(first.worker, first.run);
    }
    this.#ground.now = until;
  }

  /** Checks without burning fuses. */
  #check(): void {
    const living = this.#living;
    const when = this.#isConfiguring ? "configuring" : "running";
    const check = (): void => this.#truth.check(living, when);
    living.reduce<() => void>(
      (run, { fuse }) =>
        () =>
          fuse.spare(run),
      check,
    )();
    this.#isConfiguring = false;
  }

  /** All that runs ends, all clusters go: nothing is counted, no place is taken, nobody waits and nothing is to happen. */
  #end(): void {
    for (const { number, isAlive } of [...this.#workers]) if (!isAlive) this.#start(number);
    for (const { fuse } of this.#workers) fuse.left = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 40; round++) {
      for (const worker of this.#workers) this.#settle(worker);
      this.#pass(25);
      this.#check();
    }
    for (const { held } of this.#workers) for (const { waiting } of held) assert.equal(waiting.length, 0, "lost");
    this.#configs.clear();
    for (const worker of this.#workers) this.#apply(worker);
    this.#check();
    for (const { open, breakers, pending, held } of this.#workers) {
      assert.deepEqual([held.length, open.size, pending], [0, 0, 0]);
      assert.equal(breakers, 0, "limits that are said to be reached");
    }
    assert.equal(this.#alarms.length, 0, "something is to happen");
    checkPlaces(this.#ground);
  }

  #settle(worker: CountedWorker): void {
    for (const one of worker.held) {
      for (const { held } of one.leases.splice(0)) held?.release();
      while (one.retries > 0) endRetry(one);
    }
    for (const one of worker.open) if (!one.isClosed && one.users.size > 0) one.finish();
    for (const one of worker.open) if (!one.isClosed && !one.connected) one.connect();
    worker.table.sweep();
  }
}

function endRetry(one: Held): void {
  if (one.retries === 0) return;
  one.retries--;
  one.cluster.retries.end();
}

test(`whatever workers do, they count the truth together (seeds ${FIRST} to ${LAST})`, () => {
  for (let seed = FIRST; seed <= LAST; seed++) {
    try {
      new History(seed).run();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
