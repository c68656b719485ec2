/**
 * Which connections will do for requests that ask for more than room: those that ask for another protocol, and fresh ones
 * (a try was lost with its connection: others that were open then may be as dead).
 */
import type { Cluster } from "@sallyport/model/cluster";
import type { ConnectionRequest } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** What a request asks for. */
export interface Demand {
  readonly request: ConnectionRequest;
  readonly fresh: boolean;
}

/** Knows for a cluster what its connections are good for. */
export class ConnectionFitness {
  protocol: Cluster["protocol"];
  /** How many were opened; how many of them before the last one was lost. */
  #opened = 0;
  #openedBeforeLoss = 0;
  readonly #isSpent: (pooled: PooledConnection) => boolean;
  readonly #isFresh = (pooled: PooledConnection): boolean => pooled.serial > this.#openedBeforeLoss || !pooled.isUp;
  readonly #mayUpgrade = (pooled: PooledConnection): boolean =>
    // Where the protocol is one, all connections are alike: one that turns out not to take upgrades says so for all.
    this.protocol !== "auto" || (pooled.state === "open" && pooled.connection?.upgradable === true);
  readonly #isFreshAndMayUpgrade = (pooled: PooledConnection): boolean =>
    this.#isFresh(pooled) && this.#mayUpgrade(pooled);

  /** `isSpent`: it is not given anything more, whatever room it has. */
  constructor(protocol: Cluster["protocol"], isSpent: (pooled: PooledConnection) => boolean) {
    this.protocol = protocol;
    this.#isSpent = isSpent;
  }

  /** The serial of a new connection. */
  nextSerial(): number {
    return ++this.#opened;
  }

  /** The other side ended a connection. */
  noteLoss(): void {
    this.#openedBeforeLoss = this.#opened;
  }

  /** A connection of this endpoint with room that will do, with one more stream counted on it. */
  take(host: EndpointHost, { request, fresh }: Demand): PooledConnection | undefined {
    const spent = this.#isSpent;
    if (!request.upgrades) return host.stack.takeFit((one) => this.#isFresh(one) && !spent(one));
    const fit = fresh ? this.#isFreshAndMayUpgrade : this.#mayUpgrade;
    const isFit = (one: PooledConnection): boolean => fit(one) && !spent(one);
    return host.upgradeStack.takeFit(isFit) ?? host.stack.takeFit(isFit);
  }

  /** Whether one that waits can have a connection on which a stream has just ended. */
  suits(pooled: PooledConnection, { request, fresh }: Demand): boolean {
    // One with others on it that answered just now is alive.
    if (fresh && pooled.streams === 0 && !this.#isFresh(pooled)) return false;
    return request.upgrades ? this.#mayUpgrade(pooled) : !pooled.forUpgrades;
  }
}
