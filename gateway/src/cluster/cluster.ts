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
import type {
  ClusterSummary,
  ClusterTableOptions,
  ConnectionRequest,
  EndpointRequest,
  ManagedCluster,
  Place,
  UpstreamEndpoint,
  UpstreamTlsSettings,
} from "./contract.ts";
import { ConnectionPool, type PoolOwner } from "./connection-pool.ts";
import { EndpointChoice } from "./endpoint-choice.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import { EndpointHosts } from "./endpoint-hosts.ts";
import { ClusterHealth } from "./health/cluster-health.ts";
import type { HealthWatch } from "./health/health-watch.ts";
import { HeldLease, type LeaseKeeper } from "./held-lease.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { ClusterRetries } from "./retry-gate.ts";
import { type Absence, type LineServer, WaitingRequests } from "./waiting-requests.ts";

/** What a cluster stands on. */
export type ClusterOptions = Pick<
  ClusterTableOptions,
  "open" | "now" | "random" | "schedule" | "counts" | "recorder"
> & {
  /** Absent: endpoints are fit, whatever is configured. */
  readonly watch?: HealthWatch;
};

const NONE: readonly Endpoint[] = [];

/** A cluster with its connections. */
export class PooledCluster implements ManagedCluster, PoolOwner, LeaseKeeper, LineServer {
  readonly key: string;
  readonly retries: ClusterRetries;
  readonly #hosts: EndpointHosts;
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
    this.#choice = new EndpointChoice(this.#hosts, config.balancer, options);
    this.retries = new ClusterRetries(options.now, () => this.#hosts.busy + this.#waiting.length);
    this.#pool = new ConnectionPool({ config, tls: undefined }, this.#hosts, options, this);
    this.#health = options.watch && new ClusterHealth(options.watch, this.#hosts, this);
    this.#waiting = new WaitingRequests(this, this.#pool, (change) => options.recorder.upstreamPending(change));
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
    const pooled = this.choose(request, fresh);
    if (pooled !== undefined) this.#pool.give(pooled, request, fresh);
    else if (this.#choice.isEmpty && this.#absence !== "unknown") request.refuse(this.#absence);
    else if (this.#mayWait(request)) this.#waiting.join(request, fresh);
  }

  lease(request: EndpointRequest, avoid?: UpstreamEndpoint): void {
    let host = this.#choice.first(request);
    if (host === undefined) {
      if (this.#absence !== "unknown") request.refuse(this.#absence);
      else if (this.#mayWait(request)) this.#waiting.joinForLease(request);
      return;
    }
    const first = host;
    while (host !== undefined && host === avoid) host = this.#choice.next();
    // It cannot use a connection that is there, but it can have its place.
    while (!this.#pool.hasRoom && this.#pool.closeIdle());
    if (!this.#pool.hasRoom) {
      request.refuse("connection-overflow");
      return;
    }
    const chosen = host ?? first;
    const { connectTimeout, proxyProtocol } = this.#config;
    this.#hosts.occupy(chosen);
    request.assign(new HeldLease(this, chosen, { connectTimeout, proxyProtocol, tls: this.#tls }));
  }

  serves(session: string): boolean {
    for (const host of this.#hosts) {
      if (host.session !== session) continue;
      return host.state !== "removed" && host.fitness !== "ejected" && host.fitness !== "unhealthy";
    }
    return false;
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
    this.#choice.balance(config.balancer);
    this.retries.update(config.retryBudget);
    this.#health?.update(config, tls);
    if (config.discovery.kind === "endpoints") this.setEndpoints(endpoints?.endpoints ?? NONE, "no-endpoints");
    else this.#waiting.serve();
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
    this.#pool.sweep();
    this.#waiting.serve();
  }

  retire(): void {
    this.#health?.stop();
    this.#hosts.retire();
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
    return {
      key: this.key,
      protocol: this.#config.protocol,
      balancer: this.#config.balancer.kind,
      connections: this.#hosts.connections,
      connectionLimit: this.#config.limits.connections,
      pending: this.#waiting.length,
      pendingLimit: this.#config.limits.pending,
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
    this.#hosts.vacate(host, 1, "serving");
    this.#waiting.serve();
  }

  choose(request: ConnectionRequest, fresh: boolean): PooledConnection | undefined {
    const host = this.#choice.choose(request);
    if (host === undefined) return undefined;
    const pooled = this.#pool.take(host, request, fresh);
    if (pooled !== undefined) return pooled;
    return this.#pool.hasRoom ? this.#pool.open(host, request) : this.#chooseOverBudget(host, request, fresh);
  }

  /** No more may be opened: one with room on another endpoint will do, or one that is of no use to it makes room. */
  #chooseOverBudget(chosen: EndpointHost, request: ConnectionRequest, fresh: boolean): PooledConnection | undefined {
    const { tried } = request;
    // to find one that it did not fail on, it may have gone through all
    let host = tried === undefined ? this.#choice.next() : this.#choice.first(request);
    for (; host !== undefined; host = this.#choice.next()) {
      const pooled = this.#pool.take(host, request, fresh);
      if (pooled !== undefined) return pooled;
    }
    // Looking for one can have closed what was too old.
    if (!this.#pool.hasRoom) this.#pool.closeIdle();
    return this.#pool.hasRoom ? this.#pool.open(chosen, request) : undefined;
  }

  /** Whether there is a place in line; refuses the request where there is none. */
  #mayWait(request: ConnectionRequest | EndpointRequest): boolean {
    const { pending } = this.#config.limits;
    if (this.#waiting.length < pending) return true;
    request.refuse(pending === 0 ? "connection-overflow" : "request-overflow");
    return false;
  }
}
