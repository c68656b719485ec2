/**
 * The connections of a cluster: finds one for a request or opens it, counts what is on each, and closes what is too old or
 * not needed any more. One way for HTTP/1.1 and HTTP/2: a connection carries as many requests as its capacity, and HTTP/1.1 has one of 1.
 *
 * A connection whose protocol is chosen in the handshake carries nothing before; requests wait for it, bound to it. One that only
 * finishes what is on it (GOAWAY, too old) leaves its room to a successor; of those there are at most as many again.
 */
import type { FaultReason } from "@sallyport/model/fault";
import { BoundRequests } from "./bound-requests.ts";
import type { ClusterBreaker } from "./breaker.ts";
import { ConnectionFitness } from "./connection-fitness.ts";
import { isExpired, isTooOld } from "./connection-stack.ts";
import type { ConnectionRequest } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { EndpointHosts } from "./endpoint-hosts.ts";
import { type PoolOptions, type PoolOwner, type PoolTerms, toExpectedCapacity, toOpenOptions } from "./pool-terms.ts";
import { type ConnectionKeeper, PooledConnection } from "./pooled-connection.ts";

/** All connections of a cluster. */
export class ConnectionPool implements ConnectionKeeper {
  readonly fitness: ConnectionFitness;
  #terms: PoolTerms;
  readonly #options: PoolOptions;
  readonly #hosts: EndpointHosts;
  readonly #owner: PoolOwner;
  readonly #breaker: ClusterBreaker;
  /** Requests that wait for the handshake of a connection. */
  readonly #bound: BoundRequests;
  /** It must not be given another request, whatever room it has. */
  readonly #isSpent = (pooled: PooledConnection): boolean =>
    isExpired(pooled, this.#options.now(), this.#terms.config.pool);
  readonly #discard = (pooled: PooledConnection): void => void this.#end(pooled);

  constructor(terms: PoolTerms, hosts: EndpointHosts, options: PoolOptions, owner: PoolOwner) {
    this.#terms = terms;
    this.fitness = new ConnectionFitness(terms.config.protocol, this.#isSpent);
    this.#breaker = options.breaker;
    this.#bound = new BoundRequests((change) => options.breaker.countPending(change));
    this.#hosts = hosts;
    this.#options = options;
    this.#owner = owner;
  }

  /** Takes over what is configured, for what happens from now on. */
  update(terms: PoolTerms): void {
    this.#terms = terms;
    this.fitness.protocol = terms.config.protocol;
  }

  /** How many requests wait for a connection to come up. */
  get bound(): number {
    return this.#bound.length;
  }

  /** Whether a connection on which a stream has just ended may be given another. */
  mayTake(pooled: PooledConnection): boolean {
    return pooled.hasRoom && !this.#isSpent(pooled);
  }

  /** A connection of this endpoint with room for the request, with one more stream counted on it. */
  take(host: EndpointHost, request: ConnectionRequest, fresh: boolean): PooledConnection | undefined {
    const pooled =
      fresh || request.upgrades
        ? this.fitness.take(host, { request, fresh })
        : host.stack.take(this.#options.now(), this.#terms.config.pool, this.#discard);
    if (pooled !== undefined) this.#count(host, 1);
    return pooled;
  }

  /** Counts one more stream on a connection with room. */
  occupy(pooled: PooledConnection): void {
    pooled.streams++;
    pooled.given++;
    this.#count(pooled.host, 1);
  }

  /** Opens a connection with one stream counted on it, for give(). */
  open(host: EndpointHost, request: ConnectionRequest): PooledConnection {
    const { config, tls } = this.#terms;
    const { upgrades } = request;
    const forUpgrades = upgrades && config.protocol === "auto" && tls !== undefined;
    const origin = { host, openedAt: this.#options.now(), serial: this.fitness.nextSerial(), forUpgrades };
    const pooled = new PooledConnection(this, origin);
    this.#breaker.open(host);
    this.#breaker.countRequests(1);
    host.pooled.add(pooled);
    const connection = this.#options.open(toOpenOptions(this.#terms, pooled, upgrades));
    pooled.connection = connection;
    if (pooled.is("closed")) return pooled;
    pooled.isUp = connection.connected;
    if (connection.settled) pooled.capacity = connection.capacity;
    else {
      pooled.state = "opening";
      pooled.capacity = toExpectedCapacity(this.#terms, pooled);
    }
    this.#offer(pooled);
    return pooled;
  }

  /** Hands the connection over, on which a stream is counted for the request; or lets the request wait until it is up. */
  give(pooled: PooledConnection, request: ConnectionRequest, fresh: boolean): void {
    const { connection } = pooled;
    if (connection === undefined || pooled.state === "closed") request.refuse(pooled.failure, connection);
    else if (pooled.state === "opening") this.#bound.add(pooled, request, fresh);
    else if (request.upgrades && !connection.upgradable) this.#giveUnfit(pooled, request, fresh);
    else {
      const { hasAnswered } = pooled;
      if (pooled.isUsed) this.#options.recorder.upstreamReuse();
      pooled.isUsed = true;
      request.assign(connection, hasAnswered);
    }
  }

  /** Gives up a request that waits for a connection to come up; false where it does not. */
  cancel(request: ConnectionRequest): boolean {
    const pooled = this.#bound.remove(request);
    if (pooled !== undefined) this.#giveBack(pooled);
    return pooled !== undefined;
  }

  /** The request that was to have it is gone. */
  leave(pooled: PooledConnection): void {
    this.#giveBack(pooled);
  }

  /** Closes a connection that carries nothing, on whatever endpoint or on this one; false where there is none. */
  closeIdle(only?: EndpointHost): boolean {
    for (const host of only === undefined ? this.#hosts : [only]) {
      const idle = host.stack.findIdle() ?? host.upgradeStack.findIdle();
      if (idle === undefined) continue;
      this.close(idle);
      return true;
    }
    return false;
  }

  /** Closes what is idle for too long, what may not be used again and what no request can come to. */
  sweep(): void {
    const now = this.#options.now();
    for (const host of this.#hosts) {
      for (const pooled of host.pooled) {
        if (pooled.state === "draining") continue;
        if (isTooOld(pooled, now, this.#terms.config.pool)) this.#end(pooled);
        else if (pooled.streams === 0 && !host.isUsable) this.close(pooled);
      }
      host.stack.compact();
      host.upgradeStack.compact();
    }
  }

  /** Refuses those who wait for a connection to come up. */
  refuseBound(reason: FaultReason): void {
    for (const request of this.#bound.all()) if (this.cancel(request)) request.refuse(reason);
  }

  /** Closes a connection that carries nothing; its room is free at once, whenever the codec says that it is gone. */
  close(pooled: PooledConnection): void {
    this.#forget(pooled);
    pooled.connection?.close();
  }

  onConnected(pooled: PooledConnection): void {
    const { connection } = pooled;
    // Still being opened: what it can is read when opening returns.
    if (connection === undefined) return;
    pooled.isUp = true;
    pooled.host.suspicion.clear();
    if (pooled.state === "opening") {
      pooled.state = "open";
      pooled.idleSince = this.#options.now();
    }
    this.#learn(pooled, connection.capacity);
    this.#giveBound(pooled);
    this.#settle(pooled);
  }

  onCapacity(pooled: PooledConnection): void {
    const { connection } = pooled;
    if (connection === undefined || pooled.state === "opening") return;
    this.#learn(pooled, connection.capacity);
    this.#settle(pooled);
  }

  onIdle(pooled: PooledConnection): void {
    pooled.hasAnswered = true;
    this.#giveBack(pooled);
  }

  onDraining(pooled: PooledConnection): void {
    this.fitness.noteLoss();
    this.#drain(pooled);
    this.#returnBound(pooled);
    if (pooled.is("draining") && pooled.streams === 0) this.close(pooled);
    this.#owner.onBudget();
  }

  onClosed(pooled: PooledConnection, failure: FaultReason | undefined): void {
    if (pooled.state !== "draining" || pooled.streams > 0) this.fitness.noteLoss();
    if (failure !== undefined) pooled.failure = failure;
    if (!pooled.isUp) pooled.host.suspicion.note(failure, pooled.openedAt, this.#options.now());
    const lost = pooled.state === "opening" ? this.#bound.takeAll(pooled) : [];
    this.#forget(pooled);
    for (const [request] of lost) request.refuse(pooled.failure, pooled.connection);
    this.#returnBound(pooled);
    this.#owner.onBudget();
  }

  #learn(pooled: PooledConnection, capacity: number): void {
    pooled.capacity = capacity;
    if (!pooled.forUpgrades) pooled.host.knownCapacity = Math.max(1, capacity);
  }

  /** It asks for another protocol: whether this connection can do that shows once it is up. */
  #giveUnfit(pooled: PooledConnection, request: ConnectionRequest, fresh: boolean): void {
    if (!pooled.isUp) {
      this.#bound.add(pooled, request, fresh);
      return;
    }
    this.#giveBack(pooled);
    request.refuse("upgrade-refused", pooled.connection);
  }

  /** Hands the connection to those who waited for it, as many as it carries. */
  #giveBound(pooled: PooledConnection): void {
    const bound = this.#bound;
    while (pooled.is("open") && pooled.streams - bound.count(pooled) < pooled.capacity) {
      const first = bound.shift(pooled);
      if (first === undefined) return;
      this.give(pooled, ...first);
    }
    this.#returnBound(pooled);
  }

  /** Lets those who waited for it wait for another one. */
  #returnBound(pooled: PooledConnection): void {
    const returned = this.#bound.takeAll(pooled);
    if (returned.length === 0) return;
    for (let left = pooled.is("closed") ? 0 : returned.length; left > 0; left--) {
      pooled.streams--;
      this.#count(pooled.host, -1);
    }
    this.#owner.onReturned(returned);
  }

  /** A stream on it is over. */
  #giveBack(pooled: PooledConnection): void {
    pooled.streams--;
    this.#count(pooled.host, -1);
    if (pooled.streams === 0) pooled.idleSince = this.#options.now();
    this.#settle(pooled);
  }

  /** Finds out what is to become of a connection that has changed. */
  #settle(pooled: PooledConnection): void {
    if (pooled.is("closed")) return;
    const isDone = pooled.state === "draining" || !pooled.host.isUsable;
    if (isDone || this.#isSpent(pooled)) {
      if (this.#end(pooled)) this.#owner.onBudget();
      return;
    }
    if (this.#owner.isWaitedFor && pooled.hasRoom) this.#owner.onRoom(pooled);
    this.#offer(pooled);
  }

  /** Lets requests find it. */
  #offer(pooled: PooledConnection): void {
    if (pooled.hasRoom) (pooled.forUpgrades ? pooled.host.upgradeStack : pooled.host.stack).put(pooled);
  }

  /** Nothing new comes to it; with nothing on it, it is closed. Whether that made room. */
  #end(pooled: PooledConnection): boolean {
    if (pooled.streams === 0) this.close(pooled);
    else if (pooled.state === "open" && pooled.hasRoom) this.#drain(pooled);
    else return false;
    return true;
  }

  #drain(pooled: PooledConnection): void {
    if (pooled.state === "draining") return;
    pooled.state = "draining";
    this.#breaker.drain(pooled.host);
  }

  #forget(pooled: PooledConnection): void {
    const was = pooled.state === "draining" ? "draining" : "serving";
    pooled.state = "closed";
    pooled.host.pooled.delete(pooled);
    this.#breaker.countRequests(-pooled.streams);
    this.#breaker.close(pooled.host, pooled.streams, was);
    pooled.streams = 0;
  }

  /** A stream more, or less, on a connection of this endpoint. */
  #count(host: EndpointHost, change: 1 | -1): void {
    host.count(change);
    this.#breaker.countRequests(change);
  }
}
