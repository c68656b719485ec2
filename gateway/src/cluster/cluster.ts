/**
 * A cluster at run time: picks an endpoint for each request, reuses an idle connection or opens one, and lets requests
 * wait in line once all connections the budget allows are busy.
 *
 * Invariants: a request is answered exactly once (assigned or refused) unless it was cancelled; while one waits for a
 * connection the budget is used up and no connection is idle; a closed connection is never handed out.
 */
import { type Cluster, DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type { Endpoint, EndpointSet } from "@sallyport/model/endpoint";
import type { FaultReason } from "@sallyport/model/fault";
import type { Balancer } from "./balancer/balancer.ts";
import { createBalancer } from "./balancer/registry.ts";
import type {
  ClusterSummary,
  ClusterTableOptions,
  ConnectionRequest,
  EndpointRequest,
  ManagedCluster,
  UpstreamEndpoint,
  UpstreamTlsSettings,
} from "./contract.ts";
import { type EndpointHost, isExpired } from "./endpoint-host.ts";
import { EndpointHosts } from "./endpoint-hosts.ts";
import { HeldLease, type LeaseKeeper } from "./held-lease.ts";
import { type ConnectionKeeper, PooledConnection } from "./pooled-connection.ts";
import { WaitingLine } from "./waiting-line.ts";

/** What a cluster stands on. */
export type ClusterOptions = Pick<ClusterTableOptions, "open" | "now" | "random" | "counts" | "recorder">;

/** What a request without endpoints meets: `unknown`: names are being resolved, so it waits. */
export type Absence = "unknown" | Extract<FaultReason, "no-endpoints" | "dns-failure">;

const NONE: readonly Endpoint[] = [];

/** A cluster with its connections. */
export class PooledCluster implements ManagedCluster, ConnectionKeeper, LeaseKeeper {
  readonly key: string;
  readonly #options: ClusterOptions;
  readonly #hosts: EndpointHosts;
  readonly #line: WaitingLine<ConnectionRequest>;
  /** Only while names are being resolved. */
  readonly #leaseLine: WaitingLine<EndpointRequest>;
  readonly #discard = (pooled: PooledConnection): void => this.#close(pooled);
  #config: Cluster;
  #tls: UpstreamTlsSettings | undefined = undefined;
  #endpoints: readonly Endpoint[] | undefined;
  #usable: readonly EndpointHost[] = [];
  #balancer: Balancer<EndpointHost>;
  #absence: Absence = "unknown";
  #isServingLine = false;

  constructor(config: Cluster, options: ClusterOptions) {
    this.key = config.key;
    this.#config = config;
    this.#options = options;
    this.#hosts = new EndpointHosts(config.key, options.counts);
    const onChange = (change: 1 | -1): void => options.recorder.upstreamPending(change);
    this.#line = new WaitingLine(onChange);
    this.#leaseLine = new WaitingLine(onChange);
    this.#balancer = createBalancer(config.balancer);
  }

  acquire(request: ConnectionRequest, fresh: boolean): void {
    const host = this.#balancer.first(this.#options.random);
    if (host === undefined) {
      this.#acquireWithoutHost(request, fresh);
      return;
    }
    const idle = fresh ? undefined : host.takeIdle(this.#options.now(), this.#config.pool, this.#discard);
    if (idle !== undefined) this.#reuse(idle, request);
    else if (this.#hasRoom) this.#open(host, request);
    else this.#acquireOverBudget(host, request, fresh);
  }

  lease(request: EndpointRequest, avoid?: UpstreamEndpoint): void {
    let host = this.#balancer.first(this.#options.random);
    if (host === undefined) {
      if (this.#absence !== "unknown") request.refuse(this.#absence);
      else if (this.#mayWait(request)) this.#leaseLine.join(request, false);
      return;
    }
    const first = host;
    while (host !== undefined && host === avoid) host = this.#balancer.next();
    if (!this.#hasRoom) this.#makeRoom();
    if (!this.#hasRoom) {
      request.refuse("connection-overflow");
      return;
    }
    const chosen = host ?? first;
    const { connectTimeout, proxyProtocol } = this.#config;
    this.#hosts.occupy(chosen);
    request.assign(new HeldLease(this, chosen, { connectTimeout, proxyProtocol, tls: this.#tls }));
  }

  cancel(request: ConnectionRequest | EndpointRequest): void {
    this.#line.leave(request);
    this.#leaseLine.leave(request);
  }

  update(config: Cluster, endpoints: EndpointSet | undefined, tls: UpstreamTlsSettings | undefined): void {
    const isOther = config.balancer !== this.#config.balancer;
    this.#config = config;
    // A client certificate that was renewed is shown by new connections; what the open ones have proven stays true.
    this.#tls = tls;
    if (isOther) {
      this.#balancer = createBalancer(config.balancer);
      this.#balancer.update(this.#usable, this.#options.random);
    }
    if (config.discovery.kind === "endpoints") this.setEndpoints(endpoints?.endpoints ?? NONE, "no-endpoints");
    else this.#serveLine();
  }

  /** Takes over the endpoints in place; `absence` says what requests meet where there are none. */
  setEndpoints(endpoints: readonly Endpoint[], absence: Absence): void {
    this.#absence = absence;
    if (endpoints !== this.#endpoints) {
      this.#endpoints = endpoints;
      this.#usable = this.#hosts.update(endpoints);
      this.#balancer.update(this.#usable, this.#options.random);
      // What no request can come to any more must not use up the budget.
      for (const host of this.#hosts) if (!host.isUsable) this.#closeIdle(host, Infinity);
      this.#hosts.forgetUnused();
    }
    this.#serveLine();
  }

  sweep(): void {
    const now = this.#options.now();
    for (const host of this.#hosts) this.#closeIdle(host, now);
    this.#serveLine();
  }

  retire(): void {
    this.#hosts.retire();
    // Nobody resolves its names any more.
    if (this.#absence === "unknown") this.#absence = "dns-failure";
    for (const host of this.#hosts) this.#closeIdle(host, Infinity);
    this.#serveLine();
  }

  close(): void {
    this.retire();
    this.#refuseLine("draining");
  }

  summary(): ClusterSummary {
    return {
      key: this.key,
      balancer: this.#config.balancer,
      connections: this.#hosts.connections,
      connectionLimit: this.#config.limits.connections,
      pending: this.#pending,
      pendingLimit: this.#config.limits.pending,
      endpoints: Array.from(this.#hosts, (host) => host.summary()),
    };
  }

  onIdle(pooled: PooledConnection): void {
    const { host } = pooled;
    host.count(-1);
    const now = this.#options.now();
    const isKept = !this.#hosts.isRetired && host.isUsable && !isExpired(pooled, now, this.#config.pool);
    const firstIsFresh = this.#line.firstIsFresh;
    if (!isKept || firstIsFresh === true) {
      pooled.state = "idle";
      this.#close(pooled);
      this.#serveLine();
      return;
    }
    const request = this.#line.shift();
    if (request === undefined) host.putIdle(pooled, now);
    else this.#reuse(pooled, request);
  }

  onClosed(pooled: PooledConnection): void {
    this.#forget(pooled);
    this.#serveLine();
  }

  onReleased(host: EndpointHost): void {
    this.#hosts.vacate(host, "busy");
    this.#serveLine();
  }

  get #hasRoom(): boolean {
    return this.#hosts.connections < this.#config.limits.connections;
  }

  get #pending(): number {
    return this.#line.length + this.#leaseLine.length;
  }

  #acquireWithoutHost(request: ConnectionRequest, fresh: boolean): void {
    if (this.#absence !== "unknown") request.refuse(this.#absence);
    else if (this.#mayWait(request)) this.#line.join(request, fresh);
  }

  /** Every connection is taken: one that is idle on another endpoint will do, or makes room. */
  #acquireOverBudget(chosen: EndpointHost, request: ConnectionRequest, fresh: boolean): void {
    const now = this.#options.now();
    for (let host: EndpointHost | undefined = chosen; host !== undefined; host = this.#balancer.next()) {
      const idle = host.takeIdle(now, this.#config.pool, this.#discard);
      if (idle === undefined) continue;
      if (!fresh) {
        this.#reuse(idle, request);
        return;
      }
      this.#close(idle);
      break;
    }
    if (this.#hasRoom) this.#open(chosen, request);
    else if (this.#mayWait(request)) this.#line.join(request, fresh);
  }

  /** Whether there is a place in line; refuses the request where there is none. */
  #mayWait(request: ConnectionRequest | EndpointRequest): boolean {
    const { pending } = this.#config.limits;
    if (this.#pending < pending) return true;
    request.refuse(pending === 0 ? "connection-overflow" : "request-overflow");
    return false;
  }

  /** A lease cannot use an idle connection, but it can have its place. */
  #makeRoom(): void {
    const now = this.#options.now();
    for (const host of this.#hosts) {
      const idle = host.takeIdle(now, this.#config.pool, this.#discard);
      if (idle !== undefined) this.#close(idle);
      if (this.#hasRoom) return;
    }
  }

  #reuse(pooled: PooledConnection, request: ConnectionRequest): void {
    const { connection } = pooled;
    if (connection === undefined) return;
    pooled.state = "busy";
    pooled.host.count(1);
    this.#options.recorder.upstreamReuse();
    request.assign(connection, true);
  }

  #open(host: EndpointHost, request: ConnectionRequest): void {
    const pooled = new PooledConnection(this, host, this.#options.now());
    this.#hosts.occupy(host);
    const { connectTimeout, protocol, http2 = DEFAULT_HTTP2_CLIENT_OPTIONS } = this.#config;
    const target = { cluster: this.key, endpoint: host, tls: this.#tls, protocol, http2 };
    const { upgrades } = request;
    const connection = this.#options.open({ ...target, upgrades, connectTimeout, owner: pooled });
    pooled.connection = connection;
    if (pooled.isClosed()) request.refuse("connect-failure");
    else request.assign(connection, false);
  }

  /** Closes an idle connection; its room is free at once, whenever the codec says that it is gone. */
  #close(pooled: PooledConnection): void {
    this.#forget(pooled);
    pooled.connection?.close();
  }

  #closeIdle(host: EndpointHost, now: number): void {
    for (const pooled of host.takeExpired(now, this.#config.pool)) this.#close(pooled);
  }

  #forget(pooled: PooledConnection): void {
    const was = pooled.state === "busy" ? "busy" : "idle";
    pooled.state = "closed";
    this.#hosts.vacate(pooled.host, was);
  }

  /** Opens connections for those who wait, as far as the budget goes. */
  #serveLine(): void {
    // Opening and refusing can call back into here.
    if (this.#isServingLine) return;
    this.#isServingLine = true;
    if (this.#usable.length > 0) this.#serveLeases();
    while (this.#line.length > 0 && this.#hasRoom) {
      const host = this.#balancer.first(this.#options.random);
      if (host === undefined) break;
      const request = this.#line.shift();
      if (request !== undefined) this.#open(host, request);
    }
    this.#isServingLine = false;
    if (this.#usable.length === 0 && this.#absence !== "unknown") this.#refuseLine(this.#absence);
  }

  #serveLeases(): void {
    for (let left = this.#leaseLine.length; left > 0; left--) {
      const request = this.#leaseLine.shift();
      if (request !== undefined) this.lease(request);
    }
  }

  #refuseLine(reason: FaultReason): void {
    // Only those who wait now: a refused request may come again.
    for (let left = this.#leaseLine.length; left > 0; left--) this.#leaseLine.shift()?.refuse(reason);
    for (let left = this.#line.length; left > 0; left--) this.#line.shift()?.refuse(reason);
  }
}
