/** Which endpoint a request goes to: those that serve from this place, in the balancer's order. */
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Balancer } from "./balancer/balancer.ts";
import { createBalancer } from "./balancer/registry.ts";
import type { ConnectionRequest, Place, UpstreamEndpoint } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { EndpointHosts } from "./endpoint-hosts.ts";

/** The endpoints of a cluster that requests may go to. */
export class EndpointChoice {
  readonly #hosts: EndpointHosts;
  readonly #random: () => number;
  #kind: Cluster["balancer"]["kind"];
  #balancer: Balancer<EndpointHost>;
  #usable: readonly EndpointHost[] = [];

  constructor(hosts: EndpointHosts, kind: Cluster["balancer"]["kind"], random: () => number) {
    this.#hosts = hosts;
    this.#random = random;
    this.#kind = kind;
    this.#balancer = createBalancer(kind);
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
  balance(kind: Cluster["balancer"]["kind"]): void {
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#balancer = createBalancer(kind);
    this.#balancer.update(this.#usable, this.#random);
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

  /** The best endpoint for whoever comes next. */
  first(): EndpointHost | undefined {
    return this.#balancer.first(this.#random);
  }

  /** The next best one, in the order that first() or choose() began; undefined once all were given. */
  next(): EndpointHost | undefined {
    return this.#balancer.next();
  }

  /** The best endpoint for this request: one that it did not fail on, if there is one, and never the one it avoids if there is another. */
  choose({ avoids, tried }: ConnectionRequest): EndpointHost | undefined {
    const first = this.first();
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
  }
}
