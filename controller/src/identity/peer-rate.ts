/** How often each peer may ask: a bucket for each address, refilled steadily. Peers beyond the capacity push out the longest known. */

/** A rate. */
export interface Rate {
  /** Requests at once. */
  readonly burst: number;
  /** Milliseconds until one more is allowed. */
  readonly interval: number;
}

const CAPACITY = 4096;

/** Counts requests of peers. */
export class PeerRate {
  readonly #rate: Rate;
  /** When the bucket of a peer will be full again (generic cell rate algorithm); the least recent peer first. */
  readonly #fullAt = new Map<string, number>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** True where this peer may ask now (milliseconds of any steady clock), for as much as so many requests; then it has asked. */
  take(peer: string, now: number, cost = 1): boolean {
    const { burst, interval } = this.#rate;
    const fullAt = Math.max(now, this.#fullAt.get(peer) ?? now);
    if (fullAt + cost * interval > now + burst * interval) return false;
    this.#fullAt.delete(peer);
    this.#fullAt.set(peer, fullAt + cost * interval);
    const [oldest] = this.#fullAt.keys();
    if (this.#fullAt.size > CAPACITY && oldest !== undefined) this.#fullAt.delete(oldest);
    return true;
  }
}
