/**
 * The limits of a cluster (circuit breaking), against counts of all workers. Sums of counts are read without a lock: a limit may be
 * exceeded by (workers - 1) at an instant, never where there is one worker. Each worker may have one connection whatever the others
 * have, so that none starves.
 *
 * Connections that only finish what is on them (draining) leave their room to a successor; of those there are at most as many again.
 */
import type { Limits } from "@sallyport/model/traffic";
import { COUNTED, type ClusterCount, type Counted, type LimitName } from "../observe/contract.ts";
import type { ClusterTableOptions } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { EndpointHosts } from "./endpoint-hosts.ts";
import { type AlarmOptions, LimitAlarms } from "./limit-alarms.ts";
import type { LimitSummary } from "./summary/contract.ts";

/** What it stands on. */
export type BreakerOptions = AlarmOptions & Pick<ClusterTableOptions, "limitCounts">;

/** The limits of one cluster in one worker. */
export class ClusterBreaker {
  readonly #key: string;
  readonly #hosts: EndpointHosts;
  readonly #options: BreakerOptions;
  readonly #count: ClusterCount;
  readonly #alarms: LimitAlarms;
  /** Only where there is a limit per endpoint. */
  readonly #endpoints = new Map<EndpointHost, ClusterCount>();
  #limits: Limits;
  #isRetired = false;

  constructor({ key, limits }: { key: string; limits: Limits }, hosts: EndpointHosts, options: BreakerOptions) {
    this.#key = key;
    this.#limits = limits;
    this.#hosts = hosts;
    this.#options = options;
    this.#count = options.limitCounts.claim(key);
    this.#alarms = new LimitAlarms(key, this.#count, options);
  }

  /** Takes over what is configured. */
  update(limits: Limits): void {
    this.#limits = limits;
    // Requests are counted only where they are limited, endpoints' connections as well.
    let counted = 0;
    if (limits.requests !== undefined)
      for (const { pooled } of this.#hosts) for (const { streams } of pooled) counted += streams;
    this.#count.add(COUNTED.requests, counted - this.#count.mine(COUNTED.requests));
    if (limits.connectionsPerEndpoint === undefined) this.#forgetEndpoints(() => true);
    else for (const host of this.#hosts) if (host.connections > 0) this.#endpoint(host);
  }

  /** Whether one more request is too many. */
  get isFull(): boolean {
    const { requests } = this.#limits;
    return requests !== undefined && this.#count.total(COUNTED.requests) >= requests;
  }

  /** Whether one more request is too many to wait. */
  get isLineFull(): boolean {
    return this.#count.total(COUNTED.pending) >= this.#limits.pending;
  }

  /** Whether one more connection may be opened to anybody. */
  get hasRoom(): boolean {
    return this.#mayHaveOne || hasRoomFor(this.#count, this.#limits.connections);
  }

  /** Whether one more connection may be opened to this endpoint. */
  hasRoomOn(host: EndpointHost): boolean {
    if (this.#mayHaveOne) return true;
    return hasRoomFor(this.#count, this.#limits.connections) && this.#isRoomy(host);
  }

  /** Whether this endpoint's own limit, if it has one, leaves room for one more connection. */
  hasEndpointRoom(host: EndpointHost): boolean {
    return this.#isRoomy(host);
  }

  /** Whether endpoints have a limit of their own. */
  get limitsEndpoints(): boolean {
    return this.#limits.connectionsPerEndpoint !== undefined;
  }

  /** Whether others (other workers, or a cluster of this key before or after this one) have something that they may give up any moment. */
  get isShared(): boolean {
    return this.#isElsewhere(COUNTED.connections) || this.#isElsewhere(COUNTED.requests);
  }

  /** How many connections would have to close so that requests of others that wait could have one each; negative: there is room. */
  get wantedElsewhere(): number {
    if (!this.#isElsewhere(COUNTED.pending)) return 0;
    const waiting = this.#count.total(COUNTED.pending) - this.#count.mine(COUNTED.pending);
    const serving = this.#count.total(COUNTED.connections) - this.#count.total(COUNTED.draining);
    return waiting + serving - this.#limits.connections;
  }

  /** How many of this worker's connections are beyond the limit, by its share of them all; one it may keep. */
  get surplus(): number {
    const serving = this.#count.total(COUNTED.connections) - this.#count.total(COUNTED.draining);
    const over = serving - this.#limits.connections;
    if (over <= 0) return 0;
    return Math.min(this.spare, Math.ceil((over * (this.spare + 1)) / serving));
  }

  /** As surplus, by the limit of this endpoint and of the connections to it. */
  surplusOn(host: EndpointHost): number {
    const { connectionsPerEndpoint } = this.#limits;
    if (connectionsPerEndpoint === undefined || host.connections === 0) return 0;
    const count = this.#endpoint(host);
    const serving = count.total(COUNTED.connections) - count.total(COUNTED.draining);
    const over = serving - connectionsPerEndpoint;
    const own = count.mine(COUNTED.connections) - count.mine(COUNTED.draining);
    return over <= 0 ? 0 : Math.min(own, Math.ceil((over * own) / serving));
  }

  /** How many of this worker's connections may end: one it may have whatever the limits are, and would open again. */
  get spare(): number {
    return this.#hosts.connections - this.#hosts.draining - 1;
  }

  /** Counts a new connection that carries something from the start. */
  open(host: EndpointHost): void {
    // before it is counted on the host, which is where the count of an endpoint begins
    const endpoint = this.limitsEndpoints ? this.#endpoint(host) : undefined;
    this.#hosts.occupy(host);
    this.#count.add(COUNTED.connections, 1);
    endpoint?.add(COUNTED.connections, 1);
  }

  /** A connection takes nothing new any more. */
  drain(host: EndpointHost): void {
    this.#hosts.drain();
    this.#count.add(COUNTED.draining, 1);
    this.#endpoints.get(host)?.add(COUNTED.draining, 1);
  }

  /** A connection is gone, or as good as gone, with all that was on it. */
  close(host: EndpointHost, streams: number, was: "serving" | "draining"): void {
    const endpoint = this.#endpoints.get(host);
    for (const count of endpoint === undefined ? [this.#count] : [this.#count, endpoint]) {
      count.add(COUNTED.connections, -1);
      if (was === "draining") count.add(COUNTED.draining, -1);
    }
    this.#hosts.vacate(host, streams, was);
  }

  /** Requests begin or end on connections of the pool. */
  countRequests(change: number): void {
    if (this.#limits.requests !== undefined) this.#count.add(COUNTED.requests, change);
  }

  /** A request begins (1) or ceases (-1) to wait. */
  countPending(change: 1 | -1): void {
    this.#options.recorder.upstreamPending(change);
    this.#count.add(COUNTED.pending, change);
  }

  /** Whether one more request may be tried again; if so it is counted until endRetry(). */
  beginRetry(isBudgeted: () => boolean): boolean {
    const { retries } = this.#limits;
    if (retries !== undefined && this.#count.total(COUNTED.retries) >= retries) {
      this.noteOverflow("retries");
      return false;
    }
    if (!isBudgeted()) return false;
    this.#count.add(COUNTED.retries, 1);
    return true;
  }

  endRetry(): void {
    this.#count.add(COUNTED.retries, -1);
  }

  /** A request has met this limit. */
  noteOverflow(limit: LimitName): void {
    this.#alarms.note(limit, this.#limits[limit] ?? 0);
  }

  /** Call about once a second. */
  sweep(): void {
    this.#alarms.sweep();
    this.#forgetEndpoints((host) => host.state === "removed" && host.connections === 0);
  }

  /** Places in the shared counts are given back with the last of what is counted there. */
  retire(): void {
    this.#isRetired = true;
    this.#alarms.close();
    this.#count.release();
    for (const count of this.#endpoints.values()) count.release();
  }

  /** Counts of all workers, and the limits. */
  summary(): Record<LimitName, LimitSummary> & { connectionsPerEndpoint: number | undefined } {
    const toSummary = (limit: LimitName): LimitSummary => ({
      now: this.#count.total(COUNTED[limit]),
      most: this.#limits[limit],
      isReached: this.#count.isRaised(COUNTED[limit]),
    });
    return {
      connections: toSummary("connections"),
      pending: toSummary("pending"),
      requests: toSummary("requests"),
      retries: toSummary("retries"),
      connectionsPerEndpoint: this.#limits.connectionsPerEndpoint,
    };
  }

  /** It has none that serves. One that finishes what it has may have its successor. */
  get #mayHaveOne(): boolean {
    const { connections, draining } = this.#hosts;
    return connections === draining && connections < 2;
  }

  #isRoomy(host: EndpointHost): boolean {
    const { connectionsPerEndpoint } = this.#limits;
    return connectionsPerEndpoint === undefined || hasRoomFor(this.#endpoint(host), connectionsPerEndpoint);
  }

  #isElsewhere(kind: Counted): boolean {
    return this.#count.total(kind) > this.#count.mine(kind);
  }

  /** Counts of this endpoint; where they begin only now, with the connections that are there. */
  #endpoint(host: EndpointHost): ClusterCount {
    const known = this.#endpoints.get(host);
    if (known !== undefined) return known;
    const count = this.#options.limitCounts.claim(`${this.#key}|${host.label}`);
    this.#endpoints.set(host, count);
    count.add(COUNTED.connections, host.connections);
    for (const pooled of host.pooled) if (pooled.state === "draining") count.add(COUNTED.draining, 1);
    if (this.#isRetired) count.release();
    return count;
  }

  #forgetEndpoints(isForgotten: (host: EndpointHost) => boolean): void {
    for (const [host, count] of this.#endpoints) {
      if (!isForgotten(host)) continue;
      this.#endpoints.delete(host);
      for (const kind of [COUNTED.connections, COUNTED.draining]) count.add(kind, -count.mine(kind));
      count.release();
    }
  }
}

function hasRoomFor(count: ClusterCount, limit: number): boolean {
  const connections = count.total(COUNTED.connections);
  return connections - count.total(COUNTED.draining) < limit && connections < 2 * limit;
}
