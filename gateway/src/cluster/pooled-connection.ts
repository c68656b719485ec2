/** One upstream connection as its pool sees it: the codec tells it what happens, it keeps its age and passes that on. */
import type { ConnectionOwner, UpstreamConnection } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";

/** Who keeps connections: the cluster. */
export interface ConnectionKeeper {
  onIdle(pooled: PooledConnection): void;
  onClosed(pooled: PooledConnection): void;
}

/** `busy` from the start: a connection is opened for a request and carries it before it is up. */
export type PooledState = "busy" | "idle" | "closed";

/** A connection with what its pool must know. */
export class PooledConnection implements ConnectionOwner {
  readonly host: EndpointHost;
  /** Milliseconds, as `now` of the cluster. */
  readonly openedAt: number;
  idleSince = 0;
  state: PooledState = "busy";
  /** Undefined only until opening returns. */
  connection: UpstreamConnection | undefined;
  readonly #keeper: ConnectionKeeper;

  constructor(keeper: ConnectionKeeper, host: EndpointHost, openedAt: number) {
    this.#keeper = keeper;
    this.host = host;
    this.openedAt = openedAt;
  }

  /** A method, because the compiler believes that opening cannot have changed the state. */
  isClosed(): boolean {
    return this.state === "closed";
  }

  onConnected(): void {
    // A connection is handed out before it is up; connect metrics are the codec's.
  }

  onIdle(): void {
    if (this.state === "busy") this.#keeper.onIdle(this);
  }

  onCapacity(): void {
    // HTTP/1.1 carries one exchange at a time, always.
  }

  onDraining(): void {
    // HTTP/1.1 ends at once.
  }

  onClosed(): void {
    if (this.state !== "closed") this.#keeper.onClosed(this);
  }
}
