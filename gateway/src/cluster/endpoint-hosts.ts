/**
 * The endpoints of a cluster, kept while their configuration changes: those that stay keep their connections, those that
 * go keep the requests they have and are forgotten with the last one. Draining endpoints serve only where no ready one is
 * left.
 */
import type { Endpoint } from "@sallyport/model/endpoint";
import type { ActiveCounts } from "../observe/contract.ts";
import type { Place } from "./contract.ts";
import { EndpointHost, toEndpointLabel } from "./endpoint-host.ts";
import { NOWHERE, preferNear } from "./locality.ts";

/** All hosts of a cluster. */
export class EndpointHosts {
  readonly #clusterKey: string;
  readonly #counts: ActiveCounts;
  /** Removed ones included. */
  readonly #hosts = new Map<string, EndpointHost>();
  #connections = 0;
  #draining = 0;
  #isRetired = false;
  #place = NOWHERE;

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

  /** Takes over the endpoints; of two with one address and port the first counts. Returns those that requests may go to. */
  update(endpoints: readonly Endpoint[]): readonly EndpointHost[] {
    const configured = new Set<string>();
    for (const endpoint of endpoints) {
      const label = toEndpointLabel(endpoint);
      if (configured.has(label)) continue;
      configured.add(label);
      this.#put(label, endpoint);
    }
    for (const [label, host] of this.#hosts) if (!configured.has(label)) host.state = "removed";
    this.forgetUnused();
    return this.#use();
  }

  /** Chooses for this place from now on. Returns those that requests may go to. */
  moveTo(place: Place): readonly EndpointHost[] {
    this.#place = place;
    return this.#use();
  }

  /** Looks anew at which are fit. Returns those that requests may go to. */
  refresh(): readonly EndpointHost[] {
    return this.#use();
  }

  /** Forgets removed hosts without connections. */
  forgetUnused(): void {
    for (const host of this.#hosts.values()) this.forgetIfUnused(host);
  }

  /** Forgets this host if it is removed and without connections. */
  forgetIfUnused(host: EndpointHost): void {
    if (host.state !== "removed" || host.connections > 0 || this.#hosts.get(host.label) !== host) return;
    this.#hosts.delete(host.label);
    host.release();
  }

  /** All hosts, removed ones included. */
  [Symbol.iterator](): IterableIterator<EndpointHost> {
    return this.#hosts.values();
  }

  #put(label: string, endpoint: Endpoint): void {
    const host = this.#hosts.get(label);
    if (host === undefined) {
      this.#hosts.set(label, new EndpointHost(endpoint, this.#clusterKey, this.#counts));
    } else {
      host.renew(endpoint);
    }
  }

  #use(): readonly EndpointHost[] {
    const usable = this.#usable();
    for (const host of this.#hosts.values()) host.isUsable = false;
    for (const host of usable) host.isUsable = !this.#isRetired;
    return usable;
  }

  #usable(): readonly EndpointHost[] {
    const weighted = [...this.#hosts.values()].filter((host) => host.weight > 0);
    const ready = weighted.filter((host) => host.state === "ready");
    return ready.length > 0 ? preferNear(ready, this.#place) : weighted.filter((host) => host.state === "draining");
  }
}
