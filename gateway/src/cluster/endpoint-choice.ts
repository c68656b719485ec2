/**
 * Which endpoint a request goes to: the one its client is at home on, else one of the tier that the request falls to, in the balancer's
 * order. With one tier, as it is nearly always, this costs what the balancer costs.
 */
import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import { DEFAULT_PANIC_THRESHOLD, type HashKey } from "@sallyport/model/traffic";
import type { Balancer } from "./balancer/balancer.ts";
import { mix32 } from "../session/text-hash.ts";
import { createBalancer } from "./balancer/registry.ts";
import { TableShelf } from "./balancer/table-shelf.ts";
import type { ClusterTableOptions, ConnectionRequest, Place, UpstreamEndpoint } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { EndpointHosts } from "./endpoint-hosts.ts";
import { NOWHERE } from "./locality.ts";
import { slowStartOf, warmUp } from "./slow-start.ts";
import { type Tier, toTiers } from "./tiers.ts";

/** What a choice stands on. */
export type ChoiceOptions = Pick<ClusterTableOptions, "now" | "random" | "schedule"> & {
  /** Those of all clusters of the worker; absent: it has its own. */
  readonly tables?: TableShelf;
};

/** What of a cluster's configuration says how to choose. */
interface ChoiceConfig {
  readonly balancer: Cluster["balancer"];
  readonly locality?: Cluster["locality"] | undefined;
  readonly panicThreshold?: number | undefined;
}

/** Who may be sent by a hash. */
type Hashed = Pick<ConnectionRequest, "hashOf">;

/** A tier with its balancer. */
interface BalancedTier extends Tier<EndpointHost> {
  readonly balancer: Balancer<EndpointHost>;
}

/** The endpoints of a cluster that requests may go to. */
export class EndpointChoice {
  readonly #hosts: EndpointHosts;
  readonly #options: ChoiceOptions;
  readonly #tables: TableShelf;
  readonly #random: () => number;
  #config: ChoiceConfig;
  #place = NOWHERE;
  /** What requests are hashed by; undefined where nothing is. */
  #keys: readonly HashKey[] | undefined;
  /** By key of the tier, those included that are empty now: their turns and tables are kept. */
  readonly #balancers = new Map<string, Balancer<EndpointHost>>();
  /** Those with endpoints, best first: `#used` with a share, and the others behind them. */
  #tiers: readonly BalancedTier[] = [];
  #used = 0;
  /** When weights are to be brought up to date; undefined: nobody is warming up. */
  #nextWarmth: number | undefined = undefined;
  /** What choose() gave is not the first that was looked at: next() goes on behind it, and leaves some out. */
  #hasPassedBy = false;
  /** What choose() gave is the home of a session. */
  #isAtHome = false;
  /** That of the one tier with a share, where neither hashes nor weights have to be looked at. */
  #plain: Balancer<EndpointHost> | undefined = undefined;
  // The selection.
  #current: Balancer<EndpointHost> | undefined = undefined;
  #hash: number | undefined = undefined;
  #begun = 0;
  #next = 0;

  constructor(hosts: EndpointHosts, { balancer, locality, panicThreshold }: ChoiceConfig, options: ChoiceOptions) {
    this.#hosts = hosts;
    this.#options = options;
    this.#random = options.random;
    this.#tables = options.tables ?? new TableShelf(options);
    this.#config = { balancer, locality, panicThreshold };
    this.#keys = keysOf(balancer);
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Whether there is none but this. */
  hasOnly(endpoint: UpstreamEndpoint): boolean {
    return this.#tiers.every(({ endpoints }) => endpoints.every((host) => host === endpoint));
  }

  /** Chooses as this says from now on. */
  configure({ balancer, locality, panicThreshold }: ChoiceConfig): void {
    const config = { balancer, locality, panicThreshold };
    if (isDeepStrictEqual(config, this.#config)) return;
    if (!isDeepStrictEqual(balancer, this.#config.balancer)) {
      this.close();
      this.#balancers.clear();
    }
    this.#config = config;
    this.#keys = keysOf(balancer);
    this.refresh();
  }

  /** Takes over the endpoints in place. */
  update(endpoints: readonly Endpoint[]): void {
    this.#hosts.update(endpoints, this.#options.now());
    this.refresh();
  }

  /** Chooses for this place from now on. */
  moveTo(place: Place): void {
    this.#place = place;
    this.#hosts.locate(place.regions);
    this.refresh();
  }

  /** Looks anew at which endpoints are fit. */
  refresh(): void {
    const { balancer, locality, panicThreshold = DEFAULT_PANIC_THRESHOLD } = this.#config;
    this.#nextWarmth = warmUp(this.#hosts, slowStartOf(balancer), this.#options.now());
    const tiers = toTiers([...this.#hosts], { locality, panicThreshold }, this.#place);
    const kept = new Set(tiers.map(({ key }) => key));
    for (const [key, balancer] of this.#balancers) {
      if (kept.has(key)) continue;
      balancer.close();
      this.#balancers.delete(key);
    }
    const balanced = tiers.map((tier) => ({ ...tier, balancer: this.#balance(tier) }));
    const used = balanced.filter(({ share, endpoints }) => share > 0 && endpoints.length > 0);
    const spare = balanced.filter(({ share, endpoints }) => share === 0 && endpoints.length > 0);
    this.#tiers = [...used, ...spare];
    this.#used = used.length;
    this.#endSelection();
    this.#plain = this.#findPlain();
    this.#hosts.use(used.flatMap(({ endpoints }) => endpoints));
  }

  /** Few requests come any more: it chooses on as it does, and gives back what it shares with others. */
  close(): void {
    for (const balancer of this.#balancers.values()) balancer.close();
  }

  /** The best endpoint for this request, wherever its client is at home. */
  first(request: Hashed): EndpointHost | undefined {
    const plain = this.#plain;
    if (plain !== undefined) {
      this.#current = plain;
      this.#begun = 0;
      this.#next = 0;
      return plain.first(this.#random);
    }
    if (this.#used === 0) return undefined;
    this.warmUp();
    this.#hash = this.#keys === undefined ? undefined : request.hashOf?.(this.#keys);
    this.#begun = this.#used === 1 ? 0 : this.#drawTier();
    this.#next = 0;
    this.#current = this.#tiers[this.#begun]?.balancer;
    return this.#current?.first(this.#random, this.#hash);
  }

  /** The next best one, in the order that first() or choose() began; undefined once all were given. */
  next(): EndpointHost | undefined {
    return this.#current?.next() ?? this.#nextOfTiers(this.#used);
  }

  /**
   * The best endpoint for this request: that of its session, where it is fit; one that it did not fail on, if there is one, and never the
   * one it avoids if there is another.
   */
  choose(request: ConnectionRequest): EndpointHost | undefined {
    const { avoids, tried, session } = request;
    const home = session === undefined ? undefined : this.#findHome(session, request);
    this.#isAtHome = home !== undefined;
    if (home !== undefined) return home;
    this.#hasPassedBy = false;
    const first = this.first(request);
    if (first?.suspicion.isOpen === true && tried === undefined) return this.#insteadOf(first, avoids);
    if (tried === undefined) return first === avoids && first !== undefined ? (this.#nextOfAll() ?? first) : first;
    return this.#untried(first, request);
  }

  /**
   * Where what choose() gave has no room: the first of those that will do instead, next() gives the others. For a session none will: it
   * waits for its endpoint.
   */
  instead(request: ConnectionRequest): EndpointHost | undefined {
    if (this.#isAtHome) return undefined;
    // to find one that it did not fail on, or that can be connected to, it may have passed by some
    return request.tried === undefined && !this.#hasPassedBy ? this.next() : this.first(request);
  }

  /** The endpoint that this request waits for, because its session is there; undefined: any will do. */
  homeOf({ session, avoids, tried }: ConnectionRequest): EndpointHost | undefined {
    const home = session === undefined ? undefined : this.#hosts.findSession(session);
    if (home === undefined || home === avoids || tried?.includes(home) === true) return undefined;
    return home.suspicion.isOpen ? undefined : home;
  }

  /** From this one on, the first that the request did not fail on. */
  #untried(first: EndpointHost | undefined, { avoids, tried = [] }: ConnectionRequest): EndpointHost | undefined {
    let other: EndpointHost | undefined = undefined;
    for (let host = first; host !== undefined; host = this.#nextOfAll()) {
      if (host === avoids) continue;
      if (!tried.includes(host)) return host;
      other ??= host;
    }
    return other ?? first;
  }

  /** Another than one that could not be connected to a moment ago, unless that is to be tried again now, or there is no other. */
  #insteadOf(suspect: EndpointHost, avoids: UpstreamEndpoint | undefined): EndpointHost {
    this.#hasPassedBy = true;
    if (suspect !== avoids && suspect.suspicion.probe(this.#options.now())) return suspect;
    let other = suspect === avoids ? undefined : suspect;
    for (let host = this.#nextOfAll(); host !== undefined; host = this.#nextOfAll()) {
      if (host === avoids) continue;
      if (!host.suspicion.isOpen) return host;
      other ??= host;
    }
    return other ?? suspect;
  }

  /**
   * The endpoint of a session, if it did not fail this request; there is then no other. One that cannot be connected to is none: the
   * network of a pod that ends is gone some time before we are told, and its sessions would all wait for that.
   */
  #findHome(session: string, { avoids, tried }: ConnectionRequest): EndpointHost | undefined {
    const home = this.#hosts.findSession(session);
    if (home === undefined || home === avoids || tried?.includes(home) === true) return undefined;
    if (home.suspicion.isOpen && !home.suspicion.probe(this.#options.now())) return undefined;
    this.#endSelection();
    return home;
  }

  #endSelection(): void {
    this.#current = undefined;
    this.#next = this.#tiers.length;
  }

  /** As next(), and beyond: what has no share is better than nothing. */
  #nextOfAll(): EndpointHost | undefined {
    return this.#current?.next() ?? this.#nextOfTiers(this.#tiers.length);
  }

  #nextOfTiers(limit: number): EndpointHost | undefined {
    while (this.#next < limit) {
      const at = this.#next++;
      if (at === this.#begun) continue;
      this.#current = this.#tiers[at]?.balancer;
      const host = this.#current?.first(this.#random, this.#hash);
      if (host !== undefined) return host;
    }
    return undefined;
  }

  /** By share: by chance, or by the hash where there is one, so that a key stays in its tier. */
  #drawTier(): number {
    const hash = this.#hash;
    let drawn = hash === undefined ? this.#random() : mix32(hash ^ TIER_SALT) / 0x1_0000_0000;
    for (let at = 0; at < this.#used - 1; at++) {
      drawn -= this.#tiers[at]?.share ?? 0;
      if (drawn < 0) return at;
    }
    return this.#used - 1;
  }

  #balance(tier: Tier<EndpointHost>): Balancer<EndpointHost> {
    const balancer = this.#balancers.get(tier.key) ?? createBalancer(this.#config.balancer, this.#tables);
    this.#balancers.set(tier.key, balancer);
    balancer.update(tier.endpoints, this.#random, tier.members);
    return balancer;
  }

  #findPlain(): Balancer<EndpointHost> | undefined {
    const isPlain = this.#used === 1 && this.#keys === undefined && this.#nextWarmth === undefined;
    return isPlain ? this.#tiers[0]?.balancer : undefined;
  }

  /** Brings the weights of slow start up to date: before each choice, and before they are shown. */
  warmUp(): void {
    if (this.#nextWarmth === undefined) return;
    const now = this.#options.now();
    if (now < this.#nextWarmth) return;
    this.#nextWarmth = warmUp(this.#hosts, slowStartOf(this.#config.balancer), now);
    for (const { balancer } of this.#tiers) balancer.reweigh();
    this.#plain = this.#findPlain();
  }
}

/** Keeps which tier a key falls to apart from where in the tier it goes. */
const TIER_SALT = 0x2545f491;

function keysOf(balancer: Cluster["balancer"]): readonly HashKey[] | undefined {
  return "keys" in balancer ? balancer.keys : undefined;
}
