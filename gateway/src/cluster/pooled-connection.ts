/** One upstream connection as its pool sees it: the codec tells it what happens, it keeps counts and age and passes that on. */
import type { FaultReason } from "@sallyport/model/fault";
import type { ConnectionOwner, ConnectionRequest, UpstreamConnection } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";

/** Who keeps connections: the pool. */
export interface ConnectionKeeper {
  onConnected(pooled: PooledConnection): void;
  onIdle(pooled: PooledConnection): void;
  onCapacity(pooled: PooledConnection): void;
  onDraining(pooled: PooledConnection): void;
  onClosed(pooled: PooledConnection, failure: FaultReason | undefined): void;
}

/**
 * `opening`: its protocol is not settled, requests wait for it. `open`: requests are handed over, also before it is up. `draining`: what
 * is on it goes on, nothing comes.
 */
export type PooledState = "opening" | "open" | "draining" | "closed";

/** What a connection is from its first moment. */
export interface Origin {
  readonly host: EndpointHost;
  /** Milliseconds, as `now` of the cluster. */
  readonly openedAt: number;
  /** Counts the connections of the cluster. */
  readonly serial: number;
  /** It speaks HTTP/1.1 whatever the endpoint would choose, and is for requests that ask for another protocol alone. */
  readonly forUpgrades: boolean;
}

/** A connection with what its pool must know. */
export class PooledConnection implements ConnectionOwner, Origin {
  readonly host: EndpointHost;
  readonly openedAt: number;
  readonly serial: number;
  readonly forUpgrades: boolean;
  /** When the last request on it ended. */
  idleSince: number;
  state: PooledState = "open";
  /** Requests on it, those that wait for it included. One from the start: nothing is opened without need. */
  streams = 1;
  /** Requests it was given since it was opened. */
  given = 1;
  /** As the connection says; while its protocol is not settled, what it is believed to become. */
  capacity = 1;
  /** The transport is up. */
  isUp = false;
  /** There are more than there may be, and it is one of those that end. */
  isSurplus = false;
  /** A request was handed over; one was answered. */
  isUsed = false;
  hasAnswered = false;
  /** Its stack holds it. */
  isStacked = false;
  /** Undefined only until opening returns. */
  connection: UpstreamConnection | undefined = undefined;
  /** Why it never came up. */
  failure: FaultReason = "connect-failure";
  /** Requests that wait until it is up, in order; whether they are fresh. */
  bound: Map<ConnectionRequest, boolean> | undefined = undefined;
  readonly #keeper: ConnectionKeeper;

  constructor(keeper: ConnectionKeeper, { host, openedAt, serial, forUpgrades }: Origin) {
    this.#keeper = keeper;
    this.host = host;
    this.openedAt = openedAt;
    this.serial = serial;
    this.forUpgrades = forUpgrades;
    this.idleSince = openedAt;
  }

  /** Whether another request can be given to it. */
  get hasRoom(): boolean {
    return this.streams < this.capacity && (this.state === "open" || this.state === "opening");
  }

  /** A method, because the compiler believes that a call cannot have changed the state. */
  is(state: PooledState): boolean {
    return this.state === state;
  }

  onConnected(): void {
    if (this.state !== "closed") this.#keeper.onConnected(this);
  }

  onIdle(): void {
    if (this.state !== "closed" && this.streams > 0) this.#keeper.onIdle(this);
  }

  onCapacity(): void {
    if (this.state !== "closed") this.#keeper.onCapacity(this);
  }

  onDraining(): void {
    if (this.state !== "closed") this.#keeper.onDraining(this);
  }

  onClosed(_connection?: UpstreamConnection, failure?: FaultReason): void {
    if (this.state !== "closed") this.#keeper.onClosed(this, failure);
  }
}
