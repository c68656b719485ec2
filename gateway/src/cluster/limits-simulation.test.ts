/**
 * Limits of clusters by seeded simulation: several workers, each with the same clusters on one buffer of counts, in random order, with
 * workers that die. Whatever happens, limits hold (but for the one that each other worker may be ahead), nobody waits while there is
 * room, and in the end nothing is counted.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Limits } from "@sallyport/model/traffic";
import { seeded } from "@sallyport/testkit/random";
import {
  type FakeConnection,
  FakeLeaser,
  FakeOutside,
  FakeRequest,
  toConfig,
  toEndpoint,
} from "../../test/cluster/fakes.ts";
import { ClusterCountTable } from "../observe/cluster-counts.ts";
import { COUNTED } from "../observe/contract.ts";
import { PooledCluster } from "./cluster.ts";

const STEPS = 400;
const SHAPE = { workers: 4, slots: 64 };
/** Milliseconds in which a worker looks again for room. */
const TICK = 20;

for (const protocol of ["http1", "http2"] as const) {
  for (let seed = 1; seed <= 15; seed++) {
    test(`workers hold limits together, and nobody waits beside room (${protocol}, seed ${seed})`, () => {
      new Simulation(protocol, seed).run();
    });
  }
}

interface Seat {
  outside: FakeOutside;
  clusters: PooledCluster[];
  waiting: FakeRequest[];
  leases: FakeLeaser[];
}

class Simulation {
  readonly #protocol: "http1" | "http2";
  readonly #random: () => number;
  readonly #limits: readonly Limits[];
  readonly #buffer = new ClusterCountTable(SHAPE, 0).buffer;
  readonly #seats: Seat[];
  readonly #roomSince = new Map<PooledCluster, number>();
  #time = 0;

  constructor(protocol: "http1" | "http2", seed: number) {
    this.#protocol = protocol;
    this.#random = seeded(seed);
    this.#limits = [0, 1].map(() => ({
      connections: 1 + this.#below(8),
      pending: this.#below(6),
      requests: 2 + this.#below(10),
      ...(this.#below(2) === 0 && { connectionsPerEndpoint: 1 + this.#below(4) }),
    }));
    this.#seats = Array.from({ length: SHAPE.workers }, (_, worker) => this.#seat(worker));
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#pass(this.#below(8));
      this.#act(this.#seats[this.#below(this.#seats.length)] ?? this.#seat(0));
      this.#check();
    }
    this.#end();
  }

  #seat(worker: number): Seat {
    const outside = new FakeOutside(new ClusterCountTable(SHAPE, worker, this.#buffer));
    outside.draw = this.#random;
    outside.time = this.#time;
    outside.shape = (connection) => {
      if (this.#protocol === "http2") connection.capacity = 1 + this.#below(4);
    };
    const clusters = this.#limits.map((limits, index) => {
      const pool = { idleTimeout: 200, maxLifetime: 0, ...(index === 1 && { maxRequests: 3 }) };
      const config = toConfig({ key: `ns/web-${index}:80`, protocol: this.#protocol, limits, pool });
      const cluster = new PooledCluster(config, outside.options);
      const endpoints = [toEndpoint(1), toEndpoint(2), toEndpoint(3)];
      cluster.update(config, { kind: "endpoints", key: config.key, endpoints }, undefined);
      return cluster;
    });
    return { outside, clusters, waiting: [], leases: [] };
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #pass(milliseconds: number): void {
    this.#time += milliseconds;
    for (const { outside } of this.#seats) outside.pass(milliseconds);
  }

  #act(seat: Seat): void {
    const cluster = seat.clusters[this.#below(seat.clusters.length)];
    if (cluster === undefined) return;
    const kind = this.#below(20);
    if (kind < 9) this.#acquire(seat, cluster);
    else if (kind < 16) this.#change(seat, kind);
    else if (kind === 16) this.#lease(seat, cluster);
    else if (kind === 17) seat.leases.shift()?.held?.release();
    else if (kind === 18) for (const one of seat.clusters) one.sweep();
    else if (this.#below(6) === 0) this.#die(seat);
  }

  #acquire(seat: Seat, cluster: PooledCluster): void {
    const request = new FakeRequest();
    cluster.acquire(request, this.#below(6) === 0);
    if (request.answers === 0) seat.waiting.push(request);
  }

  #lease(seat: Seat, cluster: PooledCluster): void {
    const leaser = new FakeLeaser();
    cluster.lease(leaser);
    if (leaser.held !== undefined) seat.leases.push(leaser);
  }

  /** Something happens to a connection. */
  #change(seat: Seat, kind: number): void {
    const open = openOf(seat);
    const busy = open.filter(({ users }) => users.size > 0);
    const one = open[this.#below(open.length)];
    if (kind < 14) busy[this.#below(busy.length)]?.finish();
    else if (kind === 14) one?.fail();
    else if (one?.connected === true) one.drain();
    else one?.connect();
  }

  /** The worker is gone with all it had, and another one takes its place. */
  #die(seat: Seat): void {
    const worker = this.#seats.indexOf(seat);
    this.#seats[worker] = this.#seat(worker);
    (this.#seats[(worker + 1) % this.#seats.length] ?? seat).outside.limitCounts.clearWorker(worker);
  }

  #check(): void {
    for (const [index, limits] of this.#limits.entries()) {
      const shares = this.#seats.map(({ clusters }) => clusters[index]?.summary());
      const sum = (of: "connections" | "draining" | "streams"): number =>
        shares.reduce((total, share) => total + (share?.endpoints ?? []).reduce((all, one) => all + one[of], 0), 0);
      const shown = shares[0]?.limits;
      const serving = sum("connections") - sum("draining");
      assert.equal(shown?.connections.now, sum("connections"), "connections are counted");
      assert.equal(shown?.requests.now, sum("streams"), "requests are counted");
      assert.equal(
        shown?.pending.now,
        shares.reduce((total, share) => total + (share?.pending ?? 0), 0),
        "those who wait are counted",
      );
      // each other worker may have its first one beyond the limit
      assert.ok(serving <= limits.connections + SHAPE.workers - 1, `${serving} of ${limits.connections} connections`);
      assert.ok(sum("streams") <= (limits.requests ?? 0), `${sum("streams")} of ${limits.requests} requests`);
      assert.ok((shown?.pending.now ?? 0) <= limits.pending + SHAPE.workers - 1, "the line is bounded");
      this.#checkEndpoints(index, limits);
    }
    for (const seat of this.#seats) this.#checkWaiting(seat);
  }

  #checkEndpoints(index: number, { connectionsPerEndpoint }: Limits): void {
    if (connectionsPerEndpoint === undefined) return;
    const found = this.#seats.flatMap(({ clusters }) => clusters[index]?.summary().endpoints ?? []);
    for (const [label, shares] of Map.groupBy(found, (endpoint) => endpoint.label)) {
      const serving = shares.reduce((total, share) => total + share.connections - share.draining, 0);
      const most = connectionsPerEndpoint + SHAPE.workers;
      assert.ok(serving <= most, `${serving} of ${connectionsPerEndpoint} connections to ${label}`);
    }
  }

  /** Nobody waits beside room for longer than it takes to look again, and nobody for the first connection of a worker. */
  #checkWaiting(seat: Seat): void {
    seat.waiting = seat.waiting.filter(({ answers }) => answers === 0);
    for (const cluster of seat.clusters) {
      const { pending, limits } = cluster.summary();
      if (pending === 0) {
        this.#roomSince.delete(cluster);
        continue;
      }
      const { most = Infinity, now } = limits.requests;
      if (now >= most) this.#roomSince.delete(cluster);
      else this.#checkRoom(cluster);
    }
  }

  /** What others gave up is seen after a tick; by then it may be gone, and given up once more. */
  #checkRoom(cluster: PooledCluster): void {
    const { limits, key } = cluster.summary();
    const { connections } = limits;
    const draining = this.#seats.flatMap(({ clusters }) => clusters.map((one) => one.summary()));
    const drained = draining
      .filter((one) => one.key === key)
      .flatMap(({ endpoints }) => endpoints)
      .reduce((total, one) => total + one.draining, 0);
    const most = connections.most ?? 0;
    const own = cluster.summary().connections;
    const isRoomy = own === 0 || (connections.now - drained < most && connections.now < 2 * most);
    const since = this.#roomSince.get(cluster);
    if (!isRoomy || limits.connectionsPerEndpoint !== undefined) this.#roomSince.delete(cluster);
    else if (since === undefined) this.#roomSince.set(cluster, this.#time);
    else
      assert.ok(
        this.#time - since <= 2 * (TICK + 8),
        `somebody waits beside room since ${since}, and it is ${this.#time}`,
      );
  }

  /** Everything ends: those who wait are served within a tick of the last room that is given up. */
  #end(): void {
    for (const { leases } of this.#seats) for (const { held } of leases.splice(0)) held?.release();
    for (let round = 0; round < 60; round++) {
      for (const one of this.#seats.flatMap(openOf)) if (!one.isClosed && one.users.size > 0) one.finish();
      this.#pass(TICK);
      for (const cluster of this.#seats.flatMap(({ clusters }) => clusters)) cluster.sweep();
      this.#pass(TICK);
      this.#check();
    }
    const left = this.#seats.flatMap(({ waiting }) => waiting);
    assert.equal(left.length, 0, "nobody is lost");
    for (const { outside, clusters } of this.#seats) {
      assert.equal(outside.scheduled.size, 0, "and nobody looks for anything");
      for (const cluster of clusters) cluster.close();
    }
    this.#checkNothingIsLeft();
  }

  #checkNothingIsLeft(): void {
    const table = new ClusterCountTable(SHAPE, 0, this.#buffer);
    const keys = [...this.#limits.keys()].map((index) => `ns/web-${index}:80`);
    for (const key of [...keys, ...keys.flatMap((one) => [1, 2, 3].map((n) => `${one}|10.0.0.${n}:80`))]) {
      const count = table.claim(key);
      for (const kind of Object.values(COUNTED)) assert.equal(count.total(kind), 0, key);
    }
  }
}

function openOf({ outside }: Seat): FakeConnection[] {
  return outside.opened.filter((connection) => !connection.isClosed);
}
