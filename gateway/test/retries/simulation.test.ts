/**
 * Requests of several tenants through exchanges, policies, budgets and a cluster to backends that do what chance says. Whatever happens, a
 * request is tried no more often than its policy says, is not repeated where that could do something twice, and its client is told once,
 * in time; and bodies that are kept have room as long as somebody needs them, no longer, and no tenant has all of it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import type { RetryPolicy } from "@sallyport/model/retry";
import { compilePolicy } from "@sallyport/policies/registry";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { PooledCluster } from "../../src/cluster/cluster.ts";
import type { AnswerReceiver } from "../../src/exchange/contract.ts";
import type { ExchangeDependencies } from "../../src/exchange/dependencies.ts";
import { Exchange } from "../../src/exchange/exchange.ts";
import { RequestHead } from "../../src/head/request-head.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import { type BodyRoom, KeptBodies } from "../../src/retry/kept-bodies.ts";
import { compileRetry } from "../../src/retry/policy.ts";
import type { CompiledRule } from "../../src/router/contract.ts";
import { FakeOutside } from "../cluster/fakes.ts";
import { toOneRoute, toOneRouteRuntime } from "../http1/rig.ts";
import { toRecorder, toRecorderCounts } from "../http1/seen-record.ts";
import { AdverseConnection, type Trial } from "./adversary.ts";
import { CountingClient } from "./counting-client.ts";
import { TurnedTime } from "./turned-time.ts";

/** A tick of the fine wheel, and the one that has begun. */
const SLACK = 10;
const REPLAYS = 3;
const CLUSTER = "ns/web:80";

interface Ride {
  readonly client: CountingClient;
  readonly policy: RetryPolicy;
  readonly method: string;
  readonly beganAt: number;
  readonly trials: Trial[];
  /** Nothing of it goes upstream before all of its body is here. */
  readonly whole: boolean;
  endedAt: number;
}

const WHOLE = compilePolicy(
  { kind: "request-body", maxBytes: 1000, whole: true },
  { random: Math.random, delay: () => Promise.resolve(), page: () => assert.fail("there are none") },
);

/** One run of many requests at a time. */
class Run {
  readonly time = new TurnedTime();
  readonly rides: Ride[] = [];
  readonly kept = new KeptBodies({ retry: 90, whole: 120 });
  readonly cluster: PooledCluster;
  readonly #random: () => number;
  readonly #dependencies: ExchangeDependencies;
  readonly #endpoints: number;
  readonly counts = toRecorderCounts();
  /** Lines of the log about room for bodies. */
  lines = 0;
  readonly #tenants: number;
  readonly #byExchange = new Map<AnswerReceiver, Ride>();

  constructor(seed: number) {
    const random = (this.#random = seeded(seed));
    const { time, kept } = this;
    this.#endpoints = 1 + below(random, 4);
    const outside = new FakeOutside();
    outside.draw = random;
    const config = {
      kind: "cluster",
      key: CLUSTER,
      discovery: { kind: "endpoints" },
      protocol: "http1",
      ...DEFAULT_CLUSTER,
    } as const;
    const onTry = (trial: Trial, receiver: AnswerReceiver): void => this.#onTry(trial, receiver);
    this.cluster = new PooledCluster(config, {
      ...outside.options,
      now: () => time.now,
      open: (options) => new AdverseConnection(options, { time, random, onTry }),
    });
    const endpoints = Array.from({ length: this.#endpoints }, (_, at) => ({
      address: `10.0.0.${at}`,
      port: 80,
      weight: 1,
      state: "ready" as const,
    }));
    this.cluster.update(config, { kind: "endpoints", key: CLUSTER, endpoints }, undefined);
    this.#tenants = 1 + below(random, 5);
    this.#dependencies = {
      recorder: toRecorder([], this.counts),
      ids: new RequestIds(),
      clocks: time.clocks,
      log: {
        error: (message, fields) => assert.fail(`${message} ${String(fields["error"])}`),
        warn: (message) => {
          assert.equal(message, "no room to keep request bodies");
          this.lines++;
        },
      },
      pressure: { stopKeepAlive: false, shed: false, draining: false },
      now: () => time.now,
      random,
      kept,
      pool: [],
    };
  }

  /** Begins so many, as time goes by, and turns time until all are over. */
  ride(requests: number): void {
    for (let begun = 0; begun < requests || this.rides.some(({ client }) => !client.isOver); this.#turn()) {
      if (begun < requests && this.#random() < 0.1) {
        this.#begin();
        begun++;
      }
      assert.ok(this.time.now < 200_000, "an exchange never ends");
    }
    // what was dropped is read to its end, and pauses run out
    for (let left = 0; left < 2000; left++) this.#turn();
  }

  #turn(): void {
    this.time.turn();
    this.#judgeRooms();
    for (const ride of this.rides) if (ride.client.isOver && Number.isNaN(ride.endedAt)) ride.endedAt = this.time.now;
  }

  #begin(): void {
    const random = this.#random;
    const method = pick(random, ["GET", "PUT", "POST"]);
    const policy: RetryPolicy = {
      attempts: below(random, 4),
      on: ["reset", "connect-failure"],
      statuses: [503],
      backoff: { least: 0, base: 10, max: 50 },
      nonIdempotent: random() < 0.3,
      samePlace: random() < 0.2,
    };
    const whole = random() < 0.4;
    const head = toHead(method, method === "GET" ? 0 : below(random, 5) * 5);
    const client = new CountingClient(this.time, head.contentLength / 5, below(random, random() < 0.2 ? 200 : 30));
    const awaited = whole && head.framing === "length";
    const ride: Ride = {
      client,
      policy,
      method,
      beganAt: this.time.now,
      trials: [],
      whole: awaited,
      endedAt: Number.NaN,
    };
    this.rides.push(ride);
    const rule: Partial<CompiledRule> = {
      routeKey: `HTTPRoute/${below(random, this.#tenants)}/${below(random, 3)}`,
      filters: whole ? [WHOLE] : [],
      retry: compileRetry(policy),
      requestTimeout: 1000,
      backendTimeout: 200,
    };
    const route = toOneRoute(DEFAULT_HTTP_SERVER_OPTIONS, { cluster: this.cluster, invalid: "", filters: [] }, rule);
    const runtime = toOneRouteRuntime(route);
    const bind = runtime.binds.get("test");
    assert.ok(bind !== undefined);
    const exchange = this.#dependencies.pool.pop() ?? new Exchange(this.#dependencies);
    this.#byExchange.set(exchange, ride);
    client.serve(exchange);
    exchange.begin({ downstream: client, runtime, bind, outdated: false, head, startedAt: this.time.now });
    if (random() < 0.1) this.time.after(below(random, 500), () => client.leave());
  }

  #judgeRooms(): void {
    const { retry, whole } = this.kept;
    assert.equal(this.counts.keptBytes, this.kept.bytes, "the metric is not what is kept");
    for (const room of [retry, whole]) judgeRoom(room, this.#tenants);
  }

  #onTry(trial: Trial, receiver: AnswerReceiver): void {
    const ride = this.#byExchange.get(receiver);
    assert.ok(ride !== undefined && receiver instanceof Exchange);
    const tried = receiver.retries?.tried ?? [];
    if (ride.policy.samePlace !== true && tried.includes(trial.endpoint)) {
      const others =
        this.#endpoints - new Set([...tried, ...(receiver.avoids === undefined ? [] : [receiver.avoids])]).size;
      assert.equal(others, 0, "an endpoint that failed is tried again while there are others");
    }
    assert.ok(!ride.whole || ride.client.left < 0, "a body that is not whole goes upstream");
    const last = ride.trials.at(-1);
    assert.ok(last === undefined || last.end !== "open", "two tries at a time");
    ride.trials.push(trial);
  }
}

/** What must hold of the room for bodies, whoever came and went. */
function judgeRoom(room: BodyRoom, tenants: number): void {
  const { held, size, shares } = room;
  let [ofRoutes, ofNamespaces] = [0, 0];
  for (const route of shares.routes) {
    assert.ok(route.held <= size / 3, `${route.key} holds ${route.held} of ${size}`);
    ofRoutes += route.held;
  }
  for (const namespace of shares.namespaces) {
    assert.ok(namespace.held <= size / 2, `${namespace.key} holds ${namespace.held} of ${size}`);
    ofNamespaces += namespace.held;
  }
  assert.deepEqual([ofRoutes, ofNamespaces], [held, held]);
  assert.ok(size - held >= Math.floor(size / 2 ** tenants), "nothing is left for who comes next");
}

function toHead(method: string, length: number): RequestHead {
  const head = new RequestHead();
  const line = `${method} / HTTP/1.1\r\n`;
  head.text = `${line}Host: x\r\n`;
  head.fieldsAt = line.length;
  head.method = method;
  head.framing = length === 0 ? "none" : "length";
  head.contentLength = length;
  head.settle("/", "x");
  return head;
}

/** What must hold of a request, whatever became of it. */
function judge({ client, policy, method, beganAt, endedAt, trials }: Ride): void {
  const seen = trials.filter(({ end }) => end !== "unseen");
  // one more where a connection that had been kept died just as it was used
  const silent = method === "POST" ? 0 : 1;
  assert.ok(seen.length <= 1 + policy.attempts + silent, `${seen.length} tries of ${policy.attempts} retries`);
  assert.ok(trials.length <= 1 + policy.attempts + silent + REPLAYS, `${trials.length} tries`);
  for (const [index, trial] of trials.entries()) {
    const isLast = index === trials.length - 1;
    const end = trial.end === "open" ? Infinity : trial.endedAt;
    assert.ok(end - trial.beganAt <= 200 + SLACK, `a try took ${end - trial.beganAt}`);
    const mayHaveActed = trial.sent && (trial.end === "failed" || trial.end === "cancelled");
    if (mayHaveActed && method === "POST" && policy.nonIdempotent !== true) assert.ok(isLast, "a POST went out twice");
  }
  if (client.gone) return;
  assert.ok(endedAt - beganAt <= 1000 + SLACK, `it took ${endedAt - beganAt}`);
  assert.equal(client.ends + client.aborts, 1, "it is told once that it is over");
  assert.ok(client.heads === 1 || (client.heads === 0 && client.aborts === 1), "it has one answer");
}

test("a request is tried as often as its policy says, and its client is told once", () => {
  let retried = 0;
  let lines = 0;
  const refused = { retry: 0, whole: 0 };
  for (let seed = 1; seed <= 40; seed++) {
    const run = new Run(seed);
    try {
      run.ride(60);
      for (const ride of run.rides) judge(ride);
      assert.equal(run.cluster.retries.active, 0, "a retry is counted for ever");
      assert.equal(run.kept.bytes, 0, "a body is kept for ever");
      for (const { members } of [...run.kept.retry.shares.routes, ...run.kept.whole.shares.routes])
        assert.equal(members, 0, "a body without bytes is kept for ever");
      assert.equal(run.time.clocks.fine.count, 0, "a time is waited for ever");
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    retried += run.rides.filter(({ trials }) => trials.length > 1).length;
    for (const purpose of run.counts.unkept) refused[purpose]++;
    if (run.counts.unkept.length > 0) assert.ok(run.lines > 0, "nobody is told of bodies that had no room");
    lines += run.lines;
    run.cluster.close();
  }
  assert.ok(retried > 500, `only ${retried} were tried again`);
  assert.ok(refused.retry > 50 && refused.whole > 50, `too few had no room: ${JSON.stringify(refused)}`);
  assert.ok(lines < refused.retry + refused.whole, "every refusal has its line");
});
