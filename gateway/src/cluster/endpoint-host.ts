/**
 * One endpoint with its connections. Idle ones are reused last in, first out: the warmest first, and those not needed age
 * until they are closed. Sans-IO: time is an argument.
 */
import type { Endpoint } from "@sallyport/model/endpoint";
import { toHostPort } from "@sallyport/model/listener";
import { NO_SLOT, type ActiveCounts } from "../observe/contract.ts";
import type { BalancedEndpoint } from "./balancer/balancer.ts";
import type { EndpointSummary, UpstreamEndpoint } from "./contract.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** When an idle connection is too old. Milliseconds. */
export interface IdleLimits {
  readonly idleTimeout: number;
  /** 0: no limit. */
  readonly maxLifetime: number;
}

/** `removed`: gone from the configuration, connections still open. */
export type HostState = Endpoint["state"] | "removed";

/** An endpoint of a cluster. */
export class EndpointHost implements UpstreamEndpoint, BalancedEndpoint {
  readonly address: string;
  readonly port: number;
  readonly label: string;
  weight: number;
  state: HostState;
  /** Whether new requests come here: ready, or draining where no ready one is left. */
  isUsable = false;
  /** Connections open, of which `busy` carry a request. */
  connections = 0;
  busy = 0;
  /** Oldest first. May hold closed ones until they come up. */
  readonly #idle: PooledConnection[] = [];
  readonly #counts: ActiveCounts;
  #slot: number;

  constructor(endpoint: Endpoint, clusterKey: string, counts: ActiveCounts) {
    this.address = endpoint.address;
    this.port = endpoint.port;
    this.label = toEndpointLabel(endpoint);
    this.weight = endpoint.weight;
    this.state = endpoint.state;
    this.#counts = counts;
    this.#slot = counts.claim(clusterKey, this.label);
  }

  active(): number {
    return this.#slot === NO_SLOT ? this.busy : this.#counts.total(this.#slot);
  }

  /** Connections without a request. */
  get idle(): number {
    return this.connections - this.busy;
  }

  /** A request begins (1) or ends (-1) on one of its connections. */
  count(change: 1 | -1): void {
    this.busy += change;
    if (this.#slot !== NO_SLOT) this.#counts.add(this.#slot, change);
  }

  /** Keeps a connection for later. */
  putIdle(pooled: PooledConnection, now: number): void {
    pooled.state = "idle";
    pooled.idleSince = now;
    this.#idle.push(pooled);
  }

  /** The connection used last, if there is a good one; what is too old on the way is given to `discard`. */
  takeIdle(now: number, limits: IdleLimits, discard: (pooled: PooledConnection) => void): PooledConnection | undefined {
    let pooled = this.#idle.pop();
    while (pooled !== undefined) {
      if (pooled.state === "idle") {
        if (!isTooOld(pooled, now, limits)) return pooled;
        discard(pooled);
      }
      pooled = this.#idle.pop();
    }
    return undefined;
  }

  /** Takes out what is too old (everything with `now` = Infinity), for the caller to close. */
  takeExpired(now: number, limits: IdleLimits): PooledConnection[] {
    const expired: PooledConnection[] = [];
    let kept = 0;
    for (const pooled of this.#idle) {
      if (pooled.state !== "idle") continue;
      if (isTooOld(pooled, now, limits)) expired.push(pooled);
      else this.#idle[kept++] = pooled;
    }
    this.#idle.length = kept;
    return expired;
  }

  /** Gives back its place in the shared counts; what comes after is counted by this worker alone. Nothing must be active. */
  release(): void {
    this.#counts.release(this.#slot);
    this.#slot = NO_SLOT;
  }

  summary(): EndpointSummary {
    const { label, weight, state, connections, idle } = this;
    return { label, weight, state, active: this.active(), connections, idle };
  }
}

/** Whether a connection must not be used again. */
export function isExpired(pooled: PooledConnection, now: number, limits: IdleLimits): boolean {
  return limits.maxLifetime > 0 && now - pooled.openedAt >= limits.maxLifetime;
}

/** `address:port`, IPv6 in brackets. */
export function toEndpointLabel(endpoint: Pick<Endpoint, "address" | "port">): string {
  return toHostPort(endpoint);
}

function isTooOld(pooled: PooledConnection, now: number, limits: IdleLimits): boolean {
  return now - pooled.idleSince >= limits.idleTimeout || isExpired(pooled, now, limits);
}
