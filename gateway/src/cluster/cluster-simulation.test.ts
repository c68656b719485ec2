/** Clusters by seeded simulation: whatever happens in whatever order, the invariants hold and nobody is lost. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Endpoint } from "@sallyport/model/endpoint";
import { seeded } from "@sallyport/testkit/random";
import { type FakeConnection, FakeRequest, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";
import { TLS } from "../../test/cluster/tls.ts";

const STEPS = 1000;

for (const protocol of ["http1", "http2", "auto"] as const) {
  for (let seed = 1; seed <= 40; seed++) {
    test(`whatever happens, nobody is lost and no rule is broken (${protocol}, seed ${seed})`, () => {
      new Simulation(protocol, seed).run();
    });
  }
}

interface Waiting {
  readonly request: FakeRequest;
  readonly isSpecial: boolean;
}

class Simulation {
  readonly #protocol: "http1" | "http2" | "auto";
  readonly #random: () => number;
  readonly #limits: { readonly connections: number; readonly pending: number };
  readonly #pool: { readonly idleTimeout: number; readonly maxLifetime: number };
  readonly #set: ReturnType<typeof setUpCluster>;
  readonly #requests: FakeRequest[] = [];
  readonly #openedAt = new Map<FakeConnection, number>();
  #endpoints: Endpoint[] = [toEndpoint(1), toEndpoint(2)];
  #waiting: Waiting[] = [];

  constructor(protocol: "http1" | "http2" | "auto", seed: number) {
    this.#protocol = protocol;
    this.#random = seeded(seed);
    const balancer = (["least-request", "round-robin", "random"] as const)[seed % 3] ?? "random";
    this.#limits = { connections: 1 + this.#below(6), pending: this.#below(8) };
    this.#pool = { idleTimeout: 1 + this.#below(50), maxLifetime: this.#below(2) * 200 };
    const config = { protocol, balancer: { kind: balancer }, limits: this.#limits, pool: this.#pool };
    this.#set = setUpCluster(config, this.#endpoints);
    this.#set.outside.draw = this.#random;
    this.#set.outside.shape = (connection) => this.#shape(connection);
    this.#update();
  }

  run(): void {
    const { outside } = this.#set;
    for (let step = 0; step < STEPS; step++) {
      outside.time += this.#below(5);
      outside.failsAtOnce = this.#below(20) === 0;
      this.#act();
      this.#check();
    }
    outside.failsAtOnce = false;
    for (let rounds = 0; this.#waiting.length > 0 && rounds < 1000; rounds++) {
      const open = this.#open();
      for (const one of open) if (!one.connected) one.connect(2);
      for (const one of open) if (!one.isClosed && one.capacity === 0) one.allow(1);
      for (const one of open) if (one.users.size > 0) one.finish();
      this.#set.cluster.sweep();
      this.#check();
    }
    assert.equal(this.#waiting.length, 0, "nobody waits for ever");
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[this.#below(items.length)];
  }

  #open(): FakeConnection[] {
    return this.#set.outside.opened.filter((connection) => !connection.isClosed);
  }

  #shape(connection: FakeConnection): void {
    this.#openedAt.set(connection, this.#set.outside.time);
    if (this.#protocol === "http1" || (this.#protocol === "auto" && connection.options.upgrades)) return;
    connection.settled = this.#protocol === "http2";
    connection.capacity = connection.settled ? 1 + this.#below(5) : 1;
    connection.upgradable = false;
  }

  #act(): void {
    const { cluster } = this.#set;
    const open = this.#open();
    const kind = this.#below(14);
    if (kind < 5) this.#acquire();
    else if (kind < 8) this.#pick(open.filter(({ users }) => users.size > 0))?.finish();
    else if (kind < 10) this.#connect(this.#pick(open.filter(({ connected }) => !connected)));
    else if (kind === 10) this.#end(this.#pick(open));
    else if (kind === 11) {
      const [left] = this.#waiting.splice(this.#below(this.#waiting.length), 1);
      if (left !== undefined) cluster.cancel(left.request);
    } else if (kind === 12)
      this.#pick(open.filter((one) => one.connected && one.capacity !== 1))?.allow(this.#below(6));
    else if (this.#below(2) === 0) cluster.sweep();
    else {
      this.#endpoints = [1, 2, 3]
        .filter(() => this.#below(4) > 0)
        .map((n) => toEndpoint(n, { weight: 1 + this.#below(3), state: this.#below(3) === 0 ? "draining" : "ready" }));
      this.#update();
    }
  }

  #acquire(): void {
    const fresh = this.#below(5) === 0;
    const request = new FakeRequest(this.#below(6) === 0 ? "upgrades" : "plain");
    this.#requests.push(request);
    this.#waiting.push({ request, isSpecial: fresh || request.upgrades });
    this.#set.cluster.acquire(request, fresh);
  }

  #connect(connection: FakeConnection | undefined): void {
    if (connection === undefined) return;
    const isHttp1 = connection.settled ? connection.upgradable : this.#below(2) === 0;
    connection.upgradable = isHttp1 || this.#below(2) === 0;
    connection.connect(isHttp1 ? 1 : this.#below(6));
  }

  #end(connection: FakeConnection | undefined): void {
    if (connection?.connected === true && this.#below(2) === 0) connection.drain();
    else connection?.fail(connection.connected ? undefined : "connect-timeout");
  }

  #update(): void {
    const { cluster, config } = this.#set;
    cluster.update(config, { kind: "endpoints", key: config.key, endpoints: this.#endpoints }, TLS);
  }

  #check(): void {
    const { cluster, outside } = this.#set;
    const summary = cluster.summary();
    const sum = (of: "streams" | "active" | "draining"): number =>
      summary.endpoints.reduce((total, endpoint) => total + endpoint[of], 0);
    const open = this.#open();
    const users = open.reduce((total, { users: { size } }) => total + size, 0);
    assert.equal(summary.connections, open.length, "connections are counted");
    const serving = open.length - sum("draining");
    assert.ok(serving <= this.#limits.connections, "the budget holds");
    assert.ok(open.length <= 2 * this.#limits.connections, "those that finish what they have are bounded, too");
    assert.equal(sum("active"), sum("streams"), "requests are counted");
    assert.ok(
      this.#requests.every((request) => request.answers <= 1),
      "one answer each",
    );
    const refused = this.#requests.some(({ refusal }) => refusal === "upgrade-refused");
    assert.ok(this.#protocol === "http2" || !refused, "where there is HTTP/1.1, upgrades are sent with it");
    if (this.#protocol === "http1") this.#checkOrder();
    this.#waiting = this.#waiting.filter(({ request }) => request.answers === 0);
    assert.equal(summary.pending, this.#waiting.length, "those who wait are counted");
    assert.equal(outside.pending, summary.pending, "and the metric agrees");
    // those who wait for a handshake have what they need
    const inLine = summary.pending - (sum("streams") - users);
    if (inLine === 0) return;
    const isUsedUp = serving === this.#limits.connections || open.length === 2 * this.#limits.connections;
    assert.ok(isUsedUp, "nobody waits while there is room");
    const special = this.#waiting.filter(({ isSpecial }) => isSpecial).length;
    const roomy = open.filter((one) => this.#hasRoom(one));
    assert.ok(roomy.length === 0 || inLine <= special, "nobody waits beside a connection with room");
  }

  /** Whether any request could have it: what is draining for the pool alone cannot be told, so its whole endpoint is left out. */
  #hasRoom(one: FakeConnection): boolean {
    if (!one.connected || one.isDraining || one.users.size >= one.capacity) return false;
    const { maxLifetime } = this.#pool;
    if (maxLifetime > 0 && this.#set.outside.time - (this.#openedAt.get(one) ?? 0) >= maxLifetime) return false;
    if (this.#protocol === "auto" && one.options.upgrades) return false;
    const { label } = one.endpoint;
    const host = this.#set.cluster.summary().endpoints.find((endpoint) => endpoint.label === label);
    const draining = this.#open().filter((other) => other.endpoint.label === label && other.isDraining).length;
    const isReady = (state: string): boolean => state === "ready";
    const areReady = this.#endpoints.some(({ state }) => isReady(state));
    return host !== undefined && host.draining === draining && host.state === (areReady ? "ready" : "draining");
  }

  /** Those who were answered were the first in line. */
  #checkOrder(): void {
    const first = this.#waiting.findIndex(({ request }) => request.answers === 0);
    if (first === -1) return;
    const overtaking = this.#waiting.slice(first).filter(({ request }) => request.connection !== undefined);
    assert.deepEqual(overtaking, [], "nobody overtakes");
  }
}
