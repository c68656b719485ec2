/**
 * The endpoints of a cluster, kept while their configuration changes: those that stay keep their connections, those that
 * go keep the requests they have and are forgotten with the last one.
 */
import type { Endpoint } from "@sallyport/model/endpoint";
import type { ActiveCounts } from "../observe/contract.ts";
import { EndpointHost, toEndpointLabel } from "./endpoint-host.ts";

const NO_REGIONS: ReadonlyMap<string, string> = new Map();

/** All hosts of a cluster. */
export class EndpointHosts {
  readonly #clusterKey: string;
  readonly #counts: ActiveCounts;
  /** Removed ones included. */
  readonly #hosts = new Map<string, EndpointHost>();
  #connections = 0;
  #draining = 0;
  #isRetired = false;
  #wasFilled = false;
  #regions: ReadonlyMap<string, string> = NO_REGIONS;
  /** By session; made when it is asked for. */
  #sessions: Map<string, EndpointHost> | undefined = undefined;

  constructor(clusterKey: string, counts: ActiveCounts) {
    this.#clusterKey = clusterKey;
    this.#counts = counts;
  }

  /** Connections open, over all endpoints. */
  get connections(): number {
    return this.#connections;
  }

  /** Those of them that only finish what is on them. */
  get draining(): number {
    return this.#draining;
  }

  /** Requests and leases, over all endpoints. */
  get busy(): number {
    let busy = 0;
    for (const host of this.#hosts.values()) busy += host.busy;
    return busy;
  }

  /** Counts a new connection that carries something from the start. */
  occupy(host: EndpointHost): void {
    this.#connections++;
    host.connections++;
    host.count(1);
  }

  /** A connection takes nothing new any more. */
  drain(): void {
    this.#draining++;
  }

  /** A connection is gone, or as good as gone, with all that was on it: its room is free. */
  vacate(host: EndpointHost, streams: number, was: "serving" | "draining"): void {
    for (let left = streams; left > 0; left--) host.count(-1);
    if (was === "draining") this.#draining--;
    host.connections--;
    this.#connections--;
    // A retired cluster keeps its hosts for requests that come late, but not their places in the shared table.
    if (this.#isRetired && host.connections === 0) host.release();
    this.forgetIfUnused(host);
  }

  /** From now on hosts give back their place in the shared counts with their last connection. */
  retire(): void {
    this.#isRetired = true;
    for (const host of this.#hosts.values()) {
      host.isUsable = false;
      if (host.connections === 0) host.release();
    }
  }

  /**
   * Takes over the endpoints; of two with one address and port the first counts. Those that come to others are new since `now`; the first
   * ones of all have nobody to help them while they warm up.
   */
  update(endpoints: readonly Endpoint[], now: number): void {
    const newSince = this.#wasFilled ? now : Number.NEGATIVE_INFINITY;
    const configured = new Set<string>();
    for (const endpoint of endpoints) {
      const label = toEndpointLabel(endpoint);
      if (configured.has(label)) continue;
      configured.add(label);
      this.#put(label, endpoint, newSince);
    }
    for (const [label, host] of this.#hosts) if (!configured.has(label)) host.state = "removed";
    if (configured.size > 0) this.#wasFilled = true;
    this.#sessions = undefined;
    this.forgetUnused();
  }

  /** From now on this is known of zones. */
  locate(regions: ReadonlyMap<string, string>): void {
    this.#regions = regions;
    for (const host of this.#hosts.values()) host.locate(regions);
  }

  /** From now on connections are kept for requests to these, and to no others. */
  use(usable: readonly EndpointHost[]): void {
    for (const host of this.#hosts.values()) host.isUsable = false;
    for (const host of usable) host.isUsable = !this.#isRetired;
  }

  /**
   * The endpoint that this session is on, if it is fit to serve it: sessions stay on endpoints that drain and on those that others get no
   * requests from this place.
   */
  findSession(session: string): EndpointHost | undefined {
    this.#sessions ??= new Map(Array.from(this.#hosts.values(), (host) => [host.session, host]));
    const host = this.#sessions.get(session);
    if (host === undefined || host.state === "removed") return undefined;
    if (host.isUsable) return host;
    if (host.fitness === "ejected" || host.fitness === "unhealthy") return undefined;
    // Until the next change its connections are kept for more of the kind.
    host.isUsable = !this.#isRetired;
    return host;
  }

  /** Forgets removed hosts without connections. */
  forgetUnused(): void {
    for (const host of this.#hosts.values()) this.forgetIfUnused(host);
  }

  /** Forgets this host if it is removed and without connections. */
  forgetIfUnused(host: EndpointHost): void {
    if (host.state !== "removed" || host.connections > 0 || this.#hosts.get(host.label) !== host) return;
    this.#hosts.delete(host.label);
    this.#sessions = undefined;
    host.release();
  }

  /** All hosts, removed ones included. */
  [Symbol.iterator](): IterableIterator<EndpointHost> {
    return this.#hosts.values();
  }

  #put(label: string, endpoint: Endpoint, newSince: number): void {
    const known = this.#hosts.get(label);
    const host = known ?? new EndpointHost(endpoint, this.#clusterKey, this.#counts);
    if (known === undefined || known.state === "removed") host.newSince = newSince;
    this.#hosts.set(label, host);
    host.renew(endpoint);
    host.locate(this.#regions);
  }
}
