/** Requests that wait for one certain connection to come up: first come, first served. Each counts as a stream on it. */
import type { ConnectionRequest } from "./contract.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** A request, and whether it is fresh. */
export type BoundRequest = readonly [request: ConnectionRequest, fresh: boolean];

/** Those of a cluster. */
export class BoundRequests {
  readonly #connections = new Map<ConnectionRequest, PooledConnection>();
  readonly #onChange: (change: 1 | -1) => void;

  /** `onChange` is told of every request that begins or ceases to wait. */
  constructor(onChange: (change: 1 | -1) => void) {
    this.#onChange = onChange;
  }

  /** Lets a request wait for this connection. */
  add(pooled: PooledConnection, request: ConnectionRequest, fresh: boolean): void {
    pooled.bound ??= new Map();
    pooled.bound.set(request, fresh);
    this.#connections.set(request, pooled);
    this.#onChange(1);
  }

  /** Takes a request out; the connection that it waited for, undefined where it did not. */
  remove(request: ConnectionRequest): PooledConnection | undefined {
    const pooled = this.#connections.get(request);
    if (pooled === undefined) return undefined;
    this.#connections.delete(request);
    pooled.bound?.delete(request);
    this.#onChange(-1);
    return pooled;
  }

  /** How many wait for this connection. */
  count(pooled: PooledConnection): number {
    return pooled.bound?.size ?? 0;
  }

  /** Takes the first that waits for this connection. */
  shift(pooled: PooledConnection): BoundRequest | undefined {
    const [first] = pooled.bound ?? [];
    if (first !== undefined) this.remove(first[0]);
    return first;
  }

  /** Takes all that wait for this connection. */
  takeAll(pooled: PooledConnection): readonly BoundRequest[] {
    const all = [...(pooled.bound ?? [])];
    for (const [request] of all) this.remove(request);
    return all;
  }

  /** How many wait for whatever connection. */
  get length(): number {
    return this.#connections.size;
  }

  /** All, whatever they wait for, as they are now. */
  all(): readonly ConnectionRequest[] {
    return [...this.#connections.keys()];
  }
}
