/**
 * The contract of load balancing. A balancer orders the endpoints of a cluster anew for each request, best first: whoever
 * asks takes the first that serves and skips the others. Sans-IO: chance is an argument.
 */

/** What a balancer knows of an endpoint. */
export interface BalancedEndpoint {
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
  /** Takes over the endpoints. */
  update(endpoints: readonly T[], random: () => number): void;
  /** The endpoint this request should go to; undefined where there is none. `random` is uniform in [0, 1). */
  first(random: () => number): T | undefined;
  /** The next best endpoint; undefined once all were given. */
  next(): T | undefined;
}
