/** What must be true of everything that workers count together. */
import assert from "node:assert/strict";
import type { Limits } from "@sallyport/model/traffic";
import type { ClusterSummary, EndpointSummary } from "../../src/cluster/summary/contract.ts";
import { ActiveTable } from "../../src/observe/active-counts.ts";
import { ClusterCountTable } from "../../src/observe/cluster-counts.ts";
import { COUNTED, NO_SLOT, type Counted } from "../../src/observe/contract.ts";
import type { CountedWorker, Ground, Held } from "./counted-worker.ts";
import type { FakeRequest } from "./fakes.ts";

type Name = keyof typeof COUNTED;

const NAMES = ["connections", "draining", "pending", "requests", "retries"] as const satisfies Name[];
const KINDS: readonly Counted[] = Object.values(COUNTED);
/** As many as a connection can carry, which all wait again when it comes to nothing. */
const MOST_STREAMS = 4;

/** A cluster as it is now. */
interface Seen {
  readonly one: Held;
  readonly summary: ClusterSummary;
}

/** Compares, step by step, what is counted with what is. */
export class CountedTruth {
  readonly #limits: ClusterCountTable;
  /** By key and kind: a limit that was lowered holds from when there are no more than it says. */
  readonly #allowed = new Map<string, number>();
  #isConfiguring = false;

  constructor(limits: ClusterCountTable) {
    this.#limits = limits;
  }

  /** All of it. `configuring`: some limits may just have become less. */
  check(living: readonly CountedWorker[], when: "configuring" | "running"): void {
    this.#isConfiguring = when === "configuring";
    for (const worker of living) worker.tidy();
    const seen = living.flatMap(({ held }) => held.map((one): Seen => ({ one, summary: one.cluster.summary() })));
    for (const [key, all] of Map.groupBy(seen, ({ one }) => one.key)) this.#checkCluster(key, all);
    const keys = [...new Set(seen.map(({ one }) => one.key))];
    const alarms = sumOf(living.map(({ breakers }) => breakers));
    assert.equal(alarms, sumOf(keys.map((key) => this.#countAlarms(key))), "the gauge of limits that are reached");
    const waiting = sumOf(living.map(({ pending }) => pending));
    assert.equal(waiting, sumOf(seen.map(({ summary }) => summary.pending)), "the gauge of requests that wait");
  }

  #countAlarms(key: string): number {
    const count = this.#limits.claim(key);
    const raised = KINDS.filter((kind) => count.isRaised(kind));
    count.release();
    return raised.length;
  }

  #checkCluster(key: string, all: readonly Seen[]): void {
    const endpoints = all.flatMap(({ summary }) => summary.endpoints);
    const counting = all.filter(({ one }) => one.config.limits.requests !== undefined);
    const truth: Record<Name, number> = {
      connections: sumOf(all.map(({ summary }) => summary.connections)),
      draining: sumOf(endpoints.map(({ draining }) => draining)),
      pending: sumOf(all.map(({ summary }) => summary.pending)),
      requests: sumOf(counting.flatMap(({ summary }) => summary.endpoints.map(({ streams }) => streams))),
      retries: sumOf(all.map(({ one }) => one.retries)),
    };
    const count = this.#limits.claim(key);
    for (const name of NAMES) assert.equal(count.total(COUNTED[name]), truth[name], `${name} of ${key}`);
    count.release();
    this.#checkLimits(key, all, truth);
    if (all.every(({ one }) => !one.isLate)) this.#checkEndpoints(key, all);
  }

  /** Nothing grows beyond its limit. */
  #checkLimits(key: string, all: readonly Seen[], truth: Record<Name, number>): void {
    const most = (of: keyof Limits): number =>
      Math.max(...all.map(({ one }) => one.config.limits[of] ?? Number.POSITIVE_INFINITY));
    const serving = truth.connections - truth.draining;
    this.#hold(`${key} requests`, truth.requests, [most("requests"), 0]);
    this.#hold(`${key} retries`, truth.retries, [most("retries"), 0]);
    // each other worker may have its first one; those who were served first and lost what they had come back into the line
    this.#hold(`${key} connections`, serving, [most("connections"), all.length - 1]);
    this.#hold(`${key} pending`, truth.pending, [most("pending"), MOST_STREAMS]);
  }

  #hold(what: string, now: number, [limit, slack]: readonly [limit: number, slack: number]): void {
    const before = this.#allowed.get(what) ?? limit;
    const allowed = this.#isConfiguring ? Math.max(limit, now) : now > limit ? Math.max(limit, before) : limit;
    this.#allowed.set(what, allowed);
    assert.ok(now <= allowed + slack, `${what}: ${now} of ${limit}`);
  }

  /** What workers see of an endpoint is what is on it, and its own limit counts its connections. */
  #checkEndpoints(key: string, all: readonly Seen[]): void {
    const found = all.flatMap(({ one, summary }) => summary.endpoints.map((endpoint) => ({ one, endpoint })));
    for (const [label, shares] of Map.groupBy(found, ({ endpoint }) => endpoint.label)) {
      // a retired cluster without connections to it knows nothing of it any more
      const known = shares.filter(({ one, endpoint }) => !one.isRetired || endpoint.connections > 0);
      const truth = sumOf(known.map(({ one, endpoint }) => endpoint.streams + leasesOn(one, endpoint)));
      for (const { endpoint } of known) assert.equal(endpoint.active, truth, `requests on ${label} of ${key}`);
      const limited = shares.filter(({ one }) => one.config.limits.connectionsPerEndpoint !== undefined);
      const count = this.#limits.claim(`${key}|${label}`);
      for (const name of ["connections", "draining"] as const)
        assert.equal(
          count.total(COUNTED[name]),
          sumOf(limited.map(({ endpoint }) => endpoint[name])),
          `${name} on ${label} of ${key}`,
        );
      count.release();
    }
  }
}

/** Who was chosen is fit, or so few are that fitness is of no account. */
export function checkChoice({ cluster, config }: Held, { connection, refusal }: FakeRequest): void {
  const there = cluster.summary().endpoints.filter(({ state }) => state === "ready");
  const fit = there.filter(({ health }) => health === "fit").length;
  const counted = there.filter(({ health }) => health !== "unchecked").length;
  if (refusal === "no-endpoints")
    assert.ok(there.length === 0 || (fit === 0 && config.panicThreshold === 0), "refused beside a fit endpoint");
  const chosen = there.find(({ label }) => label === connection?.endpoint.label)?.health;
  if (chosen !== "ejected" && chosen !== "unhealthy") return;
  assert.ok(100 * fit < (config.panicThreshold ?? 50) * counted, `${chosen}, where ${fit} of ${counted} are fit`);
}

/** An endpoint was just ejected: no more are than may be. */
export function checkEjection({ held }: CountedWorker, key: string): void {
  const one = held.find((other) => other.key === key && !other.isRetired);
  if (one === undefined) return;
  const { maxEjectionPercent = 0 } = one.config.outlierDetection ?? {};
  const there = one.cluster.summary().endpoints.filter(({ state }) => state !== "removed");
  const ejected = there.filter(({ ejectedFor = 0 }) => ejectedFor > 0).length;
  const most = Math.max(there.length > 1 ? 1 : 0, Math.floor((there.length * maxEjectionPercent) / 100));
  assert.ok(ejected <= most, `${ejected} of ${there.length} ejected, ${most} may be`);
}

/** Nobody counts anything any more: each table has as many places for others as it has places. */
export function checkPlaces({ shape, active, limits }: Pick<Ground, "active" | "limits" | "shape">): void {
  const counts = new ActiveTable(shape, 0, active);
  const slots = new Set(Array.from({ length: shape.slots }, (_, n) => counts.claim("else", String(n))));
  assert.equal(slots.size, shape.slots, "places of endpoints");
  assert.ok(!slots.has(NO_SLOT));
  for (const slot of slots) assert.equal(counts.total(slot), 0);
  const [one, other] = [0, 1].map((worker) => new ClusterCountTable(shape, worker, limits));
  for (let n = 0; n < shape.slots; n++) {
    one?.claim(`else-${n}`).add(COUNTED.requests, 1);
    const seen = other?.claim(`else-${n}`);
    for (const kind of KINDS) assert.equal(seen?.total(kind), kind === COUNTED.requests ? 1 : 0, "places of clusters");
    for (const kind of KINDS) assert.equal(seen?.isRaised(kind), false);
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

/** Leases are connections that the pool does not have. */
function leasesOn({ leases }: Held, { label }: EndpointSummary): number {
  return leases.filter(({ held }) => held?.endpoint.label === label).length;
}
