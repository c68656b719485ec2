/**
 * Connections with room, used last in, first out: the warmest is filled first, so that what many requests send and get is
 * gathered, and those not needed age until they are closed. Sans-IO: time is an argument.
 */
import type { PooledConnection } from "./pooled-connection.ts";

/** When a connection is too old. Milliseconds. */
export interface AgeLimits {
  readonly idleTimeout: number;
  /** 0: no limit. */
  readonly maxLifetime: number;
  /** Requests it is given at most; undefined: no limit. */
  readonly maxRequests?: number | undefined;
}

/** The connections with room of one endpoint. */
export class ConnectionStack {
  /** The next one last. May hold some that have lost their room until they come up. */
  readonly #stack: PooledConnection[] = [];

  /** Puts a connection with room on top, unless it has its place already. */
  put(pooled: PooledConnection): void {
    if (pooled.isStacked) return;
    pooled.isStacked = true;
    this.#stack.push(pooled);
  }

  /**
   * The topmost with room, with one more stream counted on it. What is too old on the way is given to `discard`.
   */
  take(now: number, limits: AgeLimits, discard: (pooled: PooledConnection) => void): PooledConnection | undefined {
    const stack = this.#stack;
    let pooled = stack[stack.length - 1];
    while (pooled !== undefined) {
      if (pooled.hasRoom) {
        if (!isTooOld(pooled, now, limits)) {
          pooled.given++;
          if (++pooled.streams >= pooled.capacity) this.#pop();
          return pooled;
        }
        this.#pop();
        discard(pooled);
      } else this.#pop();
      pooled = stack[stack.length - 1];
    }
    return undefined;
  }

  /** The topmost with room that is `fit`, with one more stream counted on it. */
  takeFit(fit: (pooled: PooledConnection) => boolean): PooledConnection | undefined {
    const pooled = this.#stack.findLast((one) => one.hasRoom && fit(one));
    if (pooled === undefined) return undefined;
    pooled.streams++;
    pooled.given++;
    return pooled;
  }

  /** The lowest that carries nothing: the one missed least. */
  findIdle(): PooledConnection | undefined {
    return this.#stack.find((pooled) => pooled.streams === 0 && pooled.hasRoom);
  }

  /** Lets go of what has no room. */
  compact(): void {
    let kept = 0;
    for (const pooled of this.#stack) {
      if (pooled.hasRoom) this.#stack[kept++] = pooled;
      else pooled.isStacked = false;
    }
    this.#stack.length = kept;
  }

  #pop(): void {
    const pooled = this.#stack.pop();
    if (pooled !== undefined) pooled.isStacked = false;
  }
}

/** Whether a connection must not be used again, whatever is on it. */
export function isExpired(pooled: PooledConnection, now: number, limits: AgeLimits): boolean {
  const { maxLifetime, maxRequests } = limits;
  if (pooled.isSurplus) return true;
  if (maxRequests !== undefined && pooled.given >= maxRequests) return true;
  return maxLifetime > 0 && now - pooled.openedAt >= maxLifetime;
}

/** Whether a connection is expired, or has carried nothing for too long. */
export function isTooOld(pooled: PooledConnection, now: number, limits: AgeLimits): boolean {
  return (pooled.streams === 0 && now - pooled.idleSince >= limits.idleTimeout) || isExpired(pooled, now, limits);
}
