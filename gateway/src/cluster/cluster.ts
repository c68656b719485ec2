/**
 * A cluster at run time: picks an endpoint for each request, gives it a connection with room or a new one, and lets requests
 * wait in line once all connections the budget allows are full.
 *
 * Invariants: a request is answered exactly once (assigned or refused) unless it was cancelled; while one waits for a
 * connection the budget is used up and no connection it could use has room; what is closed or draining is never handed out.
 */
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint, EndpointSet } from "@sallyport/model/endpoint";
import type { BoundRequest } from "./bound-requests.ts";
import { type BreakerOptions, ClusterBreaker } from "./breaker.ts";
import type {
  ClusterTableOptions,
  ConnectionRequest,
  EndpointRequest,
  ManagedCluster,
  Place,
  UpstreamEndpoint,
  UpstreamTlsSettings,
} from "./contract.ts";
import { chooseSurplus } from "./connection-surplus.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { type ChoiceOptions, EndpointChoice } from "./endpoint-choice.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import { EndpointHosts } from "./endpoint-hosts.ts";
import { ClusterHealth } from "./health/cluster-health.ts";
import type { HealthWatch } from "./health/health-watch.ts";
import { HeldLease, type LeaseKeeper } from "./held-lease.ts";
import type { PoolOwner } from "./pool-terms.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { ClusterRetries } from "./retry-gate.ts";
import type { ClusterSummary } from "./summary/contract.ts";
import { type Absence, type LineServer, WaitingRequests } from "./waiting-requests.ts";

/** What a cluster stands on. */
export type ClusterOptions = Pick<ClusterTableOptions, "open" | "counts" | "recorder"> &
  ChoiceOptions &
  BreakerOptions & {
    /** Absent: endpoints are fit, whatever is configured. */
    readonly watch?: HealthWatch;
  };

const NONE: readonly Endpoint[] = [];

/** A cluster with its connections. */
export class PooledCluster implements ManagedCluster, PoolOwner, LeaseKeeper, LineServer {
  readonly key: string;
  readonly retries: ClusterRetries;
  readonly #hosts: EndpointHosts;
  readonly #breaker: ClusterBreaker;
  readonly #choice: EndpointChoice;
  readonly #pool: ConnectionPool;
  readonly #waiting: WaitingRequests;
  readonly #health: ClusterHealth | undefined;
  #config: Cluster;
  #tls: UpstreamTlsSettings | undefined = undefined;
  #endpoints: readonly Endpoint[] | undefined;
  #absence: Absence = "unknown";

  constructor(config: Cluster, options: ClusterOptions) {
    this.key = config.key;
    this.#config = config;
    this.#hosts = new EndpointHosts(config.key, options.counts);
    this.#choice = new EndpointChoice(this.#hosts, config, options);
    this.#breaker = new ClusterBreaker(config, this.#hosts, options);
    const countActive = (): number => this.#hosts.busy + this.#waiting.length;
    this.retries = new ClusterRetries(options.now, countActive, this.#breaker);
    const poolOptions = { ...options, breaker: this.#breaker };
    this.#pool = new ConnectionPool({ config, tls: undefined }, this.#hosts, poolOptions, this);
    this.#health = options.watch && new ClusterHealth(options.watch, this.#hosts, this);
    this.#waiting = new WaitingRequests(this, this.#pool, { ...options, breaker: this.#breaker, choice: this.#choice });
  }

  acquire(request: ConnectionRequest, fresh: boolean): void {
    const { avoids } = request;
    this.retries.begun++;
    if (avoids !== undefined && this.#choice.hasOnly(avoids)) {
      request.refuse("connect-failure");
      return;
    }
    // What is too old may have to make room for those who came before.
    if (this.#config.pool.maxLifetime > 0 && this.isWaitedFor) this.#waiting.serve();
    if (this.#breaker.isFull) {
      this.#breaker.noteOverflow("requests");
      request.refuse("request-overflow");
      return;
    }
    const pooled = this.choose(request, fresh);
    if (pooled === undefined) this.#wait(request, fresh);
    // who has it opened need not be let wait for it
    else if (pooled.state !== "opening" || pooled.streams === 1 || this.#mayWait(request))
      this.#pool.give(pooled, request, fresh);
    else this.#pool.leave(pooled);
  }

  lease(request: EndpointRequest, avoid?: UpstreamEndpoint): void {
    const chosen = this.#chooseForLease(request, avoid);
    if (chosen === undefined) {
      if (this.#absence !== "unknown") request.refuse(this.#absence);
      else if (this.#mayWait(request)) this.#waiting.joinForLease(request);
      return;
    }
    // It cannot use a connection that is there, but it can have its place.
    while (!this.#breaker.hasRoomOn(chosen) && this.#closeIdleFor(chosen));
    if (!this.#breaker.hasRoomOn(chosen)) {
      this.#breaker.noteOverflow("connections");
      request.refuse("connection-overflow");
      return;
    }
    const { connectTimeout, proxyProtocol, pool } = this.#config;
    const terms = { connectTimeout, proxyProtocol, tcpKeepAlive: pool.tcpKeepAlive, tls: this.#tls };
    this.#breaker.open(chosen);
    request.assign(new HeldLease(this, chosen, terms));
  }

  serves(session: string): boolean {
    return this.#hosts.findSession(session) !== undefined;
  }

  cancel(request: ConnectionRequest | EndpointRequest): void {
    this.#waiting.leave(request);
    if ("upgrades" in request) this.#pool.cancel(request);
  }

  update(config: Cluster, endpoints: EndpointSet | undefined, tls: UpstreamTlsSettings | undefined): void {
    this.#config = config;
    // A client certificate that was renewed is shown by new connections; what the open ones have proven stays true.
    this.#tls = tls;
    this.#pool.update({ config, tls });
    this.#breaker.update(config.limits);
    this.#choice.configure(config);
    this.retries.update(config.retryBudget);
    this.#health?.update(config, tls);
    if (config.discovery.kind === "endpoints") this.setEndpoints(endpoints?.endpoints ?? NONE, "no-endpoints");
    this.sweep();
  }

  /** Takes over the endpoints in place; `absence` says what requests meet where there are none. */
  setEndpoints(endpoints: readonly Endpoint[], absence: Absence): void {
    this.#absence = absence;
    if (endpoints !== this.#endpoints) {
      this.#endpoints = endpoints;
      this.#choice.update(endpoints);
      this.#health?.follow();
      // What no request can come to any more must not use up the budget.
      this.#pool.sweep();
      this.#hosts.forgetUnused();
    }
    this.#waiting.serve();
  }

  /** Prefers the endpoints that are meant for this place. */
  moveTo(place: Place): void {
    this.#choice.moveTo(place);
    this.sweep();
  }

  /** Some endpoints are fitter, or less fit, than they were. */
  refresh(): void {
    this.#choice.refresh();
    this.#waiting.serve();
  }

  sweep(): void {
    this.retries.sweep();
    this.#breaker.sweep();
    chooseSurplus(this.#hosts, this.#breaker);
    this.#pool.sweep();
    // Connections that nobody here needs are room for those who wait elsewhere.
    for (let left = this.#breaker.wantedElsewhere; left > 0 && this.#pool.closeIdle(); left--);
    this.#waiting.serve();
  }

  retire(): void {
    this.#health?.stop();
    this.#choice.close();
    this.#hosts.retire();
    this.#breaker.retire();
    // Nobody resolves its names any more.
    if (this.#absence === "unknown") this.#absence = "dns-failure";
    this.#pool.sweep();
    this.#waiting.serve();
  }

  close(): void {
    this.retire();
    this.#pool.refuseBound("draining");
    this.#waiting.refuseAll("draining");
  }

  summary(): ClusterSummary {
    this.#choice.warmUp();
    return {
      key: this.key,
      protocol: this.#config.protocol,
      balancer: this.#config.balancer.kind,
      connections: this.#hosts.connections,
      pending: this.#waiting.length + this.#pool.bound,
      limits: this.#breaker.summary(),
      endpoints: Array.from(this.#hosts, (host) => host.summary()),
    };
  }

  get isWaitedFor(): boolean {
    return this.#waiting.forConnections > 0;
  }

  get absence(): Absence | undefined {
    return this.#choice.isEmpty ? this.#absence : undefined;
  }

  onRoom(pooled: PooledConnection): void {
    this.#waiting.serve(pooled);
  }

  onBudget(): void {
    this.#waiting.serve();
  }

  onReturned(requests: readonly BoundRequest[]): void {
    this.#waiting.rejoin(requests);
    this.#waiting.serve();
  }

  onReleased(host: EndpointHost): void {
    this.#breaker.close(host, 1, "serving");
    this.#waiting.serve();
  }

  choose(request: ConnectionRequest, fresh: boolean): PooledConnection | undefined {
    const host = this.#choice.choose(request);
    if (host === undefined) return undefined;
    const pooled = this.#pool.take(host, request, fresh);
    if (pooled !== undefined) return pooled;
    return this.#breaker.hasRoomOn(host)
      ? this.#pool.open(host, request)
      : this.#chooseOverBudget(host, request, fresh);
  }

  /**
   * No more may be opened to the endpoint that was chosen: a connection with room on another endpoint will do (but for a session), or a new
   * one there where it has room, or one that is of no use to the request makes room.
   */
  #chooseOverBudget(chosen: EndpointHost, request: ConnectionRequest, fresh: boolean): PooledConnection | undefined {
    let roomy: EndpointHost | undefined = undefined;
    for (let host = this.#choice.instead(request); host !== undefined; host = this.#choice.next()) {
      const pooled = this.#pool.take(host, request, fresh);
      if (pooled !== undefined) return pooled;
      if (roomy === undefined && this.#mayOpenTo(host, request)) roomy = host;
    }
    // Looking for one can have closed what was too old.
    if (this.#breaker.hasRoomOn(chosen)) return this.#pool.open(chosen, request);
    if (roomy !== undefined) return this.#pool.open(roomy, request);
    this.#closeIdleFor(chosen);
    return this.#breaker.hasRoomOn(chosen) ? this.#pool.open(chosen, request) : undefined;
  }

  /** Whether another endpoint than the one that was chosen, and has its limit, will do. */
  #mayOpenTo(host: EndpointHost, { avoids, tried }: ConnectionRequest): boolean {
    if (!this.#breaker.limitsEndpoints || host === avoids || tried?.includes(host) === true) return false;
    return this.#breaker.hasRoomOn(host);
  }

  /** The best endpoint but this, with room if there is one that has; this, if there is no other. */
  #chooseForLease(request: EndpointRequest, avoid: UpstreamEndpoint | undefined): EndpointHost | undefined {
    const first = this.#choice.first(request);
    let other: EndpointHost | undefined = undefined;
    for (let host = first; host !== undefined; host = this.#choice.next()) {
      if (host === avoid) continue;
      if (!this.#breaker.limitsEndpoints || this.#breaker.hasRoomOn(host)) return host;
      other ??= host;
    }
    return other ?? first;
  }

  /** Closes a connection that carries nothing, so that one can be opened to this endpoint; false where there is none. */
  #closeIdleFor(host: EndpointHost): boolean {
    return this.#pool.closeIdle(this.#breaker.hasRoom ? host : undefined);
  }

  #wait(request: ConnectionRequest, fresh: boolean): void {
    if (this.#choice.isEmpty) {
      if (this.#absence !== "unknown") {
        request.refuse(this.#absence);
        return;
      }
    } else this.#breaker.noteOverflow("connections");
    if (this.#mayWait(request)) this.#waiting.join(request, fresh);
  }

  /** Whether one more may wait; refuses the request where it may not. */
  #mayWait(request: ConnectionRequest | EndpointRequest): boolean {
    if (!this.#breaker.isLineFull) return true;
    const { pending } = this.#config.limits;
    if (pending > 0) this.#breaker.noteOverflow("pending");
    request.refuse(pending === 0 ? "connection-overflow" : "request-overflow");
    return false;
  }
}
