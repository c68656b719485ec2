/** One endpoint with its connections. */
import type { Endpoint } from "@sallyport/model/endpoint";
import type { FaultReason } from "@sallyport/model/fault";
import { toHostPort } from "@sallyport/model/listener";
import type { Locality } from "@sallyport/model/traffic";
import { NO_SLOT, type ActiveCounts } from "../observe/contract.ts";
import { toEndpointSession } from "../session/endpoint-session.ts";
import type { BalancedEndpoint } from "./balancer/balancer.ts";
import { ConnectionStack } from "./connection-stack.ts";
import type { EndpointState, UpstreamEndpoint } from "./contract.ts";
import type { EndpointHealth } from "./health/endpoint-health.ts";
import { Suspicion } from "./health/suspicion.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import type { Warming } from "./slow-start.ts";
import type { TierMember } from "./tiers.ts";
import type { EndpointSummary } from "./summary/contract.ts";

/** `removed`: gone from the configuration, connections still open. */
export type HostState = Endpoint["state"] | "removed";

/** An endpoint of a cluster. */
export class EndpointHost implements UpstreamEndpoint, BalancedEndpoint, TierMember, Warming {
  readonly address: string;
  readonly port: number;
  readonly label: string;
  readonly session: string;
  /** As configured; 0: no requests but those of its sessions. */
  configuredWeight: number;
  /** What balancers go by: less while it warms up. */
  weight: number;
  state: HostState;
  /** As configured, with the region that others know of its zone. */
  locality: Locality | undefined;
  /** 0 comes first. */
  priority = 0;
  labels: Readonly<Record<string, string>> | undefined;
  forZones: readonly string[] | undefined;
  forNodes: readonly string[] | undefined;
  /** Since when it is among others that were there before: milliseconds of the cluster's `now`. -Infinity: since ever. */
  newSince = Number.NEGATIVE_INFINITY;
  /** Whether connections are kept for requests to come. */
  isUsable = false;
  /** As all workers see it; who changes it has the cluster choose anew (`refresh`). */
  fitness: EndpointState = "fit";
  /** Since when it is, if it is: milliseconds of the cluster's `now`. -Infinity: for as long as anybody knows. */
  fitSince = Number.NEGATIVE_INFINITY;
  /** Undefined: nobody asks how tries on it end, and nobody checks it. */
  health: EndpointHealth | undefined = undefined;
  /** Whether connections to it fail now. */
  readonly suspicion = new Suspicion();
  /** Connections open, those of leases and those that only finish what they have included. */
  connections = 0;
  /** Requests and leases on it. */
  busy = 0;
  /** What a connection whose protocol the endpoint chose could carry, the last time; 0: nobody knows. */
  knownCapacity = 0;
  /** Connections of the pool. */
  readonly pooled = new Set<PooledConnection>();
  /** Those with room. */
  readonly stack = new ConnectionStack();
  /** Those with room that are for requests that ask for another protocol alone. */
  readonly upgradeStack = new ConnectionStack();
  #configuredLocality: Locality | undefined;
  readonly #counts: ActiveCounts;
  #slot: number;

  constructor(endpoint: Endpoint, clusterKey: string, counts: ActiveCounts) {
    this.address = endpoint.address;
    this.port = endpoint.port;
    this.label = toEndpointLabel(endpoint);
    this.session = toEndpointSession(clusterKey, this.label);
    this.configuredWeight = endpoint.weight;
    this.weight = endpoint.weight;
    this.state = endpoint.state;
    this.renew(endpoint);
    this.#counts = counts;
    this.#slot = counts.claim(clusterKey, this.label);
  }

  /** Takes over what is configured for the same address. */
  renew({ weight, state, locality, priority = 0, labels, forZones, forNodes }: Endpoint): void {
    this.configuredWeight = weight;
    this.weight = weight;
    this.state = state;
    this.#configuredLocality = locality;
    this.locality = locality;
    this.priority = priority;
    this.labels = labels;
    this.forZones = forZones;
    this.forNodes = forNodes;
  }

  /** `regions`: of zones. */
  locate(regions: ReadonlyMap<string, string>): void {
    const known = this.#configuredLocality;
    const region = known?.region === "" ? regions.get(known.zone) : undefined;
    this.locality = known === undefined || region === undefined ? known : { ...known, region };
  }

  /** Its place in what all workers know of it; NO_SLOT: it has none. */
  get slot(): number {
    return this.#slot;
  }

  noteAnswer(status: number): void {
    if (this.suspicion.isOpen) this.suspicion.clear();
    if (this.health !== undefined) this.health.noteAnswer(status);
  }

  noteFailure(reason: FaultReason): void {
    if (this.health !== undefined) this.health.noteFailure(reason);
  }

  active(): number {
    return this.#slot === NO_SLOT ? this.busy : this.#counts.total(this.#slot);
  }

  /** A request begins (1) or ends (-1) on one of its connections. */
  count(change: 1 | -1): void {
    this.busy += change;
    if (this.#slot !== NO_SLOT) this.#counts.add(this.#slot, change);
  }

  /** Gives back its place in the shared counts; what comes after is counted by this worker alone. Nothing must be active. */
  release(): void {
    // whoever is given its place must not be spoken of by this one
    this.health?.leaveCheck();
    this.health = undefined;
    this.#counts.release(this.#slot);
    this.#slot = NO_SLOT;
  }

  summary(): EndpointSummary {
    const { label, configuredWeight, weight, state, connections } = this;
    const counts = { streams: 0, idle: 0, draining: 0 };
    for (const one of this.pooled) {
      counts.streams += one.streams;
      if (one.state === "draining") counts.draining++;
      else if (one.streams === 0) counts.idle++;
    }
    const warmth = weight === configuredWeight ? {} : { warmWeight: weight };
    const shares = { weight: configuredWeight, ...warmth };
    return {
      label,
      ...shares,
      health: this.fitness,
      ...this.health?.summary(),
      state,
      active: this.active(),
      connections,
      ...counts,
    };
  }
}

/** `address:port`, IPv6 in brackets. */
export function toEndpointLabel(endpoint: Pick<Endpoint, "address" | "port">): string {
  return toHostPort(endpoint);
}
