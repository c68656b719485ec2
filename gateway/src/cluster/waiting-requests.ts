/**
 * Requests of a cluster that wait: for a connection with room or for one to be opened, or (leases) for names to be resolved.
 * Serving them can call back into the cluster and so into here; one pass at a time serves until nothing has changed.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { BoundRequest } from "./bound-requests.ts";
import type { ClusterBreaker } from "./breaker.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { ClusterTableOptions, ConnectionRequest, EndpointRequest } from "./contract.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { PooledConnection } from "./pooled-connection.ts";
import { type Place, WaitingLine } from "./waiting-line.ts";

/** What a request without endpoints meets: `unknown`: names are being resolved, so it waits. */
export type Absence = "unknown" | Extract<FaultReason, "no-endpoints" | "dns-failure">;

/** Who decides what those who wait are given: the cluster. */
export interface LineServer {
  /** Why there is no endpoint that requests may go to; undefined where there is one. */
  readonly absence: Absence | undefined;
  /** A connection for the request, with one more stream counted on it, where one has room or may be opened. */
  choose(request: ConnectionRequest, fresh: boolean): PooledConnection | undefined;
  lease(request: EndpointRequest): void;
}

/** What waiting stands on. */
export type WaitingOptions = Pick<ClusterTableOptions, "schedule"> & {
  readonly breaker: ClusterBreaker;
  readonly choice: Pick<EndpointChoice, "homeOf">;
};

/** Milliseconds between looks for room that other workers have given up: nobody tells of that. */
const LOOK_AGAIN = 20;

/** Those of a cluster. */
export class WaitingRequests {
  readonly #server: LineServer;
  readonly #pool: ConnectionPool;
  readonly #options: WaitingOptions;
  readonly #line: WaitingLine<ConnectionRequest>;
  /** Only while names are being resolved. */
  readonly #leaseLine: WaitingLine<EndpointRequest>;
  #isServing = false;
  #isServedAgain = false;
  #isLooking = false;

  constructor(server: LineServer, pool: ConnectionPool, options: WaitingOptions) {
    this.#server = server;
    this.#pool = pool;
    this.#options = options;
    const onChange = (change: 1 | -1): void => options.breaker.countPending(change);
    this.#line = new WaitingLine(onChange);
    this.#leaseLine = new WaitingLine(onChange);
  }

  /** How many wait. */
  get length(): number {
    return this.#line.length + this.#leaseLine.length;
  }

  /** How many wait for a connection. */
  get forConnections(): number {
    return this.#line.length;
  }

  join(request: ConnectionRequest, fresh: boolean): void {
    this.#line.join(request, fresh);
    this.#lookAgain();
  }

  joinForLease(request: EndpointRequest): void {
    this.#leaseLine.join(request, false);
  }

  /** They were served before all others, and lost what they had: they wait again, as the first, in this order. */
  rejoin(requests: readonly BoundRequest[]): void {
    for (const [request, fresh] of requests.toReversed()) this.#line.joinFirst(request, fresh);
  }

  /** Takes one out; a no-op for one that does not wait. */
  leave(request: ConnectionRequest | EndpointRequest): void {
    this.#line.leave(request);
    this.#leaseLine.leave(request);
  }

  /** Serves them, with this connection or whatever there is. */
  serve(pooled?: PooledConnection): void {
    // Opening, assigning and refusing can call back into here.
    this.#isServedAgain = true;
    if (this.#isServing) return;
    this.#isServing = true;
    if (pooled !== undefined) this.#isServedAgain = this.#serveWith(pooled);
    while (this.#isServedAgain) {
      this.#isServedAgain = false;
      if (this.#server.absence === undefined) this.#serveLeases();
      this.#serveLine();
    }
    this.#isServing = false;
    const { absence } = this.#server;
    if (absence !== undefined && absence !== "unknown") this.refuseAll(absence);
    this.#lookAgain();
  }

  /** Refuses those who wait now: a refused request may come again. */
  refuseAll(reason: FaultReason): void {
    for (let left = this.#leaseLine.length; left > 0; left--) this.#leaseLine.shift()?.refuse(reason);
    for (let left = this.#line.length; left > 0; left--) this.#line.shift()?.refuse(reason);
  }

  /**
   * Gives this connection to those it suits; one with nothing on it makes room for the first it does not. Those whose session is elsewhere
   * wait for the connections that are there, so that not every answer closes one. Whether there is more to do.
   */
  #serveWith(pooled: PooledConnection): boolean {
    const { breaker, choice } = this.#options;
    this.#isServedAgain = false;
    let isWanted = false;
    let place = this.#line.first;
    while (place !== undefined && this.#mayServe(pooled)) {
      const home = choice.homeOf(place.request);
      const isElsewhere = home !== undefined && home !== pooled.host;
      if (!isElsewhere && this.#pool.fitness.suits(pooled, place)) {
        this.#give(pooled, place);
        place = this.#line.first;
        isWanted = false;
      } else if (pooled.streams > 0) place = place.behind;
      else if (isElsewhere && home.connections > 0) {
        isWanted ||= breaker.hasEndpointRoom(home);
        place = place.behind;
      } else return this.#closeFor(pooled);
    }
    return isWanted ? this.#closeFor(pooled) : this.#isServedAgain;
  }

  #mayServe(pooled: PooledConnection): boolean {
    return this.#pool.mayTake(pooled) && !this.#options.breaker.isFull;
  }

  #give(pooled: PooledConnection, { request, fresh }: Place<ConnectionRequest>): void {
    this.#line.leave(request);
    this.#pool.occupy(pooled);
    this.#pool.give(pooled, request, fresh);
  }

  #closeFor(pooled: PooledConnection): true {
    this.#pool.close(pooled);
    return true;
  }

  /**
   * Those who ask for more than room (fresh, upgrades, the endpoint of a session) do not hold up others: what they cannot use is of no
   * loss to them.
   */
  #serveLine(): void {
    const unserved: Unserved = { kinds: 0, homes: undefined };
    let place = this.#line.first;
    while (place !== undefined) {
      const { request, fresh } = place;
      const home = this.#options.choice.homeOf(request);
      const isHopeless = this.#options.breaker.isFull || isUnserved(unserved, place, home);
      const pooled = isHopeless ? undefined : this.#server.choose(request, fresh);
      if (pooled !== undefined) {
        this.#line.leave(request);
        this.#pool.give(pooled, request, fresh);
        place = this.#line.first;
      } else if (home === undefined && toKind(place) === PLAIN) return;
      else {
        noteUnserved(unserved, place, home);
        place = place.behind;
      }
    }
  }

  /** Looks again in a while, where somebody waits for what others than this cluster may give up. */
  #lookAgain(): void {
    const { breaker, schedule } = this.#options;
    if (this.#isLooking || this.#line.length === 0 || !breaker.isShared) return;
    this.#isLooking = true;
    schedule(LOOK_AGAIN, () => {
      this.#isLooking = false;
      this.serve();
    });
  }

  #serveLeases(): void {
    for (let left = this.#leaseLine.length; left > 0; left--) {
      const request = this.#leaseLine.shift();
      if (request !== undefined) this.#server.lease(request);
    }
  }
}

/** Who was found not to be served in this pass: all of the kind are not. */
interface Unserved {
  kinds: number;
  /** Of plain requests. */
  homes: Set<EndpointHost> | undefined;
}

const PLAIN = 1;

function toKind({ request, fresh }: Place<ConnectionRequest>): number {
  return PLAIN << ((fresh ? 1 : 0) + (request.upgrades ? 2 : 0));
}

function isUnserved(unserved: Unserved, place: Place<ConnectionRequest>, home: EndpointHost | undefined): boolean {
  if (home === undefined) return (unserved.kinds & toKind(place)) !== 0;
  return unserved.homes?.has(home) === true;
}

function noteUnserved(unserved: Unserved, place: Place<ConnectionRequest>, home: EndpointHost | undefined): void {
  if (home === undefined) unserved.kinds |= toKind(place);
  else if (toKind(place) === PLAIN) (unserved.homes ??= new Set()).add(home);
}
