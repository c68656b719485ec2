/**
 * The contract of load balancing. A balancer orders the endpoints of a cluster anew for each request, best first: whoever
 * asks takes the first that serves and skips the others. Sans-IO: chance is an argument.
 */

/** What a balancer knows of an endpoint. */
export interface BalancedEndpoint {
  /** Its address: what consistent hashing knows it by. */
  readonly label: string;
  /** Share relative to the others; above 0. */
  readonly weight: number;
  /** Requests on it now. */
  active(): number;
}

/**
 * One selection at a time: first() begins it, next() goes on with it, another first() ends it. Neither allocates. Every
 * endpoint comes once in a selection.
 */
export interface Balancer<T extends BalancedEndpoint> {
  /**
   * Takes over the endpoints. `members` are those and the ones that are only left out for a while: the keys of the others stay where they
   * are meanwhile. `random` is uniform in [0, 1).
   */
  update(endpoints: readonly T[], random: () => number, members?: readonly T[]): void;
  /** The weights of the endpoints are others. */
  reweigh(): void;
  /**
   * The endpoint this request should go to; undefined where there is none. `random` is uniform in [0, 1); `hash` (32 bits) is what
   * decides where hashing does: without it, chance.
   */
  first(random: () => number, hash?: number): T | undefined;
  /** The next best endpoint; undefined once all were given. */
  next(): T | undefined;
  /** No update comes any more, and few requests: what it shares with others is given back. It chooses among those it has. */
  close(): void;
}
