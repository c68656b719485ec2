/**
 * Finds an endpoint that takes the connection. While none has, no byte of the client is with anybody, so another endpoint
 * may be tried.
 */
import type { Socket } from "node:net";
import type { FaultReason } from "@sallyport/model/fault";
import type { EndpointLease, EndpointRequest, UpstreamCluster, UpstreamEndpoint } from "../cluster/contract.ts";
import { Timed } from "../time/wheel.ts";
import { Inlet } from "../wire/inlet.ts";
import { openSocket } from "../wire/rehouse.ts";
import type { StreamDependencies } from "./contract.ts";

/** Endpoints that are tried for one connection. */
const TRIES = 3;

/** A connection that is up. Whoever gets it listens to the socket, and releases the lease when that is closed. */
export interface DialedUpstream {
  readonly socket: Socket;
  readonly inlet: Inlet;
  readonly lease: EndpointLease;
}

/** Who wants the connection. */
export interface DialOwner {
  onDialed(upstream: DialedUpstream): void;
  /** There will be no connection. Called instead of onDialed, possibly before begin() returns. */
  onDialFailed(reason: FaultReason): void;
  /** Something was thrown, which is a bug of ours. */
  onBug(error: unknown): void;
}

/** Dials the endpoints of one cluster. */
export class Dial extends Timed implements EndpointRequest {
  readonly #cluster: UpstreamCluster;
  readonly #owner: DialOwner;
  readonly #dependencies: StreamDependencies;
  #tries = 0;
  /** The endpoint of this try or, between two, of the last one. */
  #endpoint: UpstreamEndpoint | undefined = undefined;
  #failure: FaultReason = "connect-failure";
  #waiting = false;
  #current: DialedUpstream | undefined = undefined;

  constructor(cluster: UpstreamCluster, owner: DialOwner, dependencies: StreamDependencies) {
    super();
    this.#cluster = cluster;
    this.#owner = owner;
    this.#dependencies = dependencies;
  }

  /** The endpoint tried last. */
  get endpoint(): UpstreamEndpoint | undefined {
    return this.#endpoint;
  }

  /** Starts; called once. */
  begin(): void {
    this.#waiting = true;
    this.#cluster.lease(this);
  }

  /** Gives up; the owner is told nothing more. */
  cancel(): void {
    if (this.#waiting) this.#cluster.cancel(this);
    this.#waiting = false;
    this.#drop();
  }

  assign(lease: EndpointLease): void {
    this.#waiting = false;
    if (lease.endpoint === this.#endpoint) {
      // it is the only one, and it has failed
      lease.release();
      this.#owner.onDialFailed(this.#failure);
      return;
    }
    this.#endpoint = lease.endpoint;
    this.#tries++;
    this.#connect(lease);
  }

  refuse(reason: FaultReason): void {
    this.#waiting = false;
    this.#owner.onDialFailed(this.#tries === 0 ? reason : this.#failure);
  }

  override onLate(): void {
    this.#fail("connect-timeout");
  }

  #connect(lease: EndpointLease): void {
    if (lease.tls !== undefined) {
      lease.release();
      this.#owner.onDialFailed("upstream-tls-failure");
      return;
    }
    const { address: host, port } = lease.endpoint;
    const inlet = new Inlet();
    const socket = openSocket(inlet);
    const upstream = { socket, inlet, lease };
    this.#current = upstream;
    socket.once("connect", () => this.#onConnect(upstream));
    socket.on("error", () => this.#onError(upstream));
    this.#dependencies.clocks.coarse.arm(this, lease.connectTimeout);
    socket.connect({ host, port });
  }

  #onConnect(upstream: DialedUpstream): void {
    if (this.#current !== upstream) return;
    this.#current = undefined;
    this.#dependencies.clocks.coarse.disarm(this);
    this.#dependencies.recorder.upstreamConnect("success");
    this.#owner.onDialed(upstream);
  }

  #onError(upstream: DialedUpstream): void {
    // once it is up, "close" says all there is to say
    if (this.#current !== upstream) return;
    this.#fail("connect-failure");
  }

  #fail(reason: "connect-failure" | "connect-timeout"): void {
    this.#failure = reason;
    this.#dependencies.recorder.upstreamConnect(reason === "connect-timeout" ? "timeout" : "failure");
    try {
      this.#drop();
      if (this.#tries >= TRIES) this.#owner.onDialFailed(reason);
      else {
        this.#waiting = true;
        this.#cluster.lease(this, this.#endpoint);
      }
    } catch (error) {
      this.#owner.onBug(error);
    }
  }

  #drop(): void {
    const upstream = this.#current;
    this.#current = undefined;
    this.#dependencies.clocks.coarse.disarm(this);
    if (upstream === undefined) return;
    upstream.socket.destroy();
    upstream.inlet.close();
    upstream.lease.release();
  }
}
