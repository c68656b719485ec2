/** Which endpoint a request goes to: those that serve from this place, in the balancer's order. */
import { isDeepStrictEqual } from "node:util";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Balancer as BalancerConfig, HashKey } from "@sallyport/model/traffic";
import type { Balancer } from "./balancer/balancer.ts";
import { createBalancer } from "./balancer/registry.ts";
import type { ClusterTableOptions, ConnectionRequest, Place, UpstreamEndpoint } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { EndpointHosts } from "./endpoint-hosts.ts";

/** What a choice stands on. */
export type ChoiceOptions = Pick<ClusterTableOptions, "random" | "schedule">;

/** Who may be sent by a hash. */
type Hashed = Pick<ConnectionRequest, "hashOf">;

/** The endpoints of a cluster that requests may go to. */
export class EndpointChoice {
  readonly #hosts: EndpointHosts;
  readonly #random: () => number;
  readonly #schedule: ClusterTableOptions["schedule"];
  #config: BalancerConfig;
  /** What requests are hashed by; undefined where nothing is. */
  #keys: readonly HashKey[] | undefined;
  #balancer: Balancer<EndpointHost>;
  #usable: readonly EndpointHost[] = [];
  #isWorking = false;

  constructor(hosts: EndpointHosts, config: BalancerConfig, options: ChoiceOptions) {
    this.#hosts = hosts;
    this.#random = options.random;
    this.#schedule = options.schedule;
    this.#config = config;
    this.#keys = keysOf(config);
    this.#balancer = createBalancer(config);
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#usable.length === 0;
  }

  /** Whether there is none but this. */
  hasOnly(endpoint: UpstreamEndpoint): boolean {
    return this.#usable.every((host) => host === endpoint);
  }

  /** Balances in another way, if it is another. */
  balance(config: BalancerConfig): void {
    if (isDeepStrictEqual(config, this.#config)) return;
    this.#config = config;
    this.#keys = keysOf(config);
    this.#balancer = createBalancer(config);
    this.#use(this.#usable);
  }

  /** Takes over the endpoints in place. */
  update(endpoints: readonly Endpoint[]): void {
    this.#use(this.#hosts.update(endpoints));
  }

  /** Chooses for this place from now on. */
  moveTo(place: Place): void {
    this.#use(this.#hosts.moveTo(place));
  }

  /** Looks anew at which endpoints are fit. */
  refresh(): void {
    this.#use(this.#hosts.refresh());
  }

  /** The best endpoint for this request. */
  first(request: Hashed): EndpointHost | undefined {
    const hash = this.#keys === undefined ? undefined : request.hashOf?.(this.#keys);
    return this.#balancer.first(this.#random, hash);
  }

  /** The next best one, in the order that first() or choose() began; undefined once all were given. */
  next(): EndpointHost | undefined {
    return this.#balancer.next();
  }

  /** The best endpoint for this request: one that it did not fail on, if there is one, and never the one it avoids if there is another. */
  choose(request: ConnectionRequest): EndpointHost | undefined {
    const { avoids, tried } = request;
    const first = this.first(request);
    if (tried === undefined) return first === avoids && first !== undefined ? (this.next() ?? first) : first;
    let other: EndpointHost | undefined = undefined;
    for (let host = first; host !== undefined; host = this.next()) {
      if (host === avoids) continue;
      if (!tried.includes(host)) return host;
      other ??= host;
    }
    return other ?? first;
  }

  #use(usable: readonly EndpointHost[]): void {
    this.#usable = usable;
    this.#balancer.update(usable, this.#random);
    this.#work();
  }

  /** Goes on with what a new table takes, with a pause for requests after each part. */
  #work(): void {
    if (this.#isWorking || !this.#balancer.work()) return;
    this.#isWorking = true;
    this.#schedule(0, () => {
      this.#isWorking = false;
      this.#work();
    });
  }
}

function keysOf(config: BalancerConfig): readonly HashKey[] | undefined {
  return "keys" in config ? config.keys : undefined;
}
