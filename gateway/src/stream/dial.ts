/**
 * Finds an endpoint that takes the connection. While none has, no byte of the client is with anybody, so another endpoint
 * may be tried.
 */
import type { Socket } from "node:net";
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import type { HashKey } from "@sallyport/model/traffic";
import type { EndpointLease, EndpointRequest, UpstreamCluster, UpstreamEndpoint } from "../cluster/contract.ts";
import { hashAddress } from "../session/address-hash.ts";
import { Timed } from "../time/wheel.ts";
import { Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { connectUpstream } from "../wire/upstream-socket.ts";
import type { StreamDependencies } from "./contract.ts";

/** Endpoints that are tried for one connection. */
const TRIES = 3;
/** What a connection that came up counts as where endpoints are judged by their answers (as in Envoy's TCP proxy). */
const CONNECTED = 200;

/** A connection that is up. Whoever gets it listens to the socket, and releases the lease when that is closed. */
export interface DialedUpstream {
  readonly socket: Socket;
  readonly ways: SocketWays;
  readonly inlet: Inlet;
  readonly lease: EndpointLease;
}

/** Who wants the connection. */
export interface DialOwner {
  /** Of whom it is made for, without port. */
  readonly clientAddress: string;
  /** What goes out first, in front of TLS as well. */
  toPreface(lease: EndpointLease): Buffer | undefined;
  onDialed(upstream: DialedUpstream): void;
  /** There will be no connection. Called instead of onDialed, possibly before begin() returns. `detail`: "" for none. */
  onDialFailed(reason: FaultReason, detail: string): void;
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
      this.#owner.onDialFailed(this.#failure, "");
      return;
    }
    this.#endpoint = lease.endpoint;
    this.#tries++;
    this.#connect(lease);
  }

  hashOf(keys: readonly HashKey[]): number | undefined {
    return hashAddress(keys, this.#owner.clientAddress);
  }

  refuse(reason: FaultReason): void {
    this.#waiting = false;
    this.#owner.onDialFailed(this.#tries === 0 ? reason : this.#failure, "");
  }

  override onLate(): void {
    this.#guard(() => this.#fail("connect-timeout", ""));
  }

  #connect(lease: EndpointLease): void {
    const { endpoint, tls, tcpKeepAlive, connectTimeout } = lease;
    const { clocks, log } = this.#dependencies;
    const cluster = this.#cluster.key;
    const preface = this.#owner.toPreface(lease);
    const inlet = new Inlet();
    const { socket, ways } = connectUpstream(
      { cluster, endpoint, tls, tcpKeepAlive, applicationProtocols: [], preface, log },
      inlet,
      {
        onUp: () => this.#onUp(upstream),
        onUpFailed: (reason, detail) => this.#guard(() => this.#onUpFailed(upstream, reason, detail)),
      },
    );
    const upstream = { socket, ways, inlet, lease };
    this.#current = upstream;
    clocks.coarse.arm(this, connectTimeout);
  }

  #onUp(upstream: DialedUpstream): void {
    if (this.#current !== upstream) return;
    this.#current = undefined;
    this.#dependencies.clocks.coarse.disarm(this);
    this.#dependencies.recorder.upstreamConnect("success");
    upstream.lease.endpoint.noteAnswer(CONNECTED);
    upstream.socket.on("error", ignoreError);
    this.#owner.onDialed(upstream);
  }

  #onUpFailed(upstream: DialedUpstream, reason: FaultReason, detail: string): void {
    if (this.#current === upstream) this.#fail(reason, detail);
  }

  #fail(reason: FaultReason, detail: string): void {
    this.#failure = reason;
    this.#endpoint?.noteFailure(reason);
    this.#dependencies.recorder.upstreamConnect(reason === "connect-timeout" ? "timeout" : "failure");
    this.#drop();
    if (this.#tries >= TRIES || !FAULTS[reason].retryable) this.#owner.onDialFailed(reason, detail);
    else {
      this.#waiting = true;
      this.#cluster.lease(this, this.#endpoint);
    }
  }

  #guard(run: () => void): void {
    try {
      run();
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

function ignoreError(): void {
  // "close" follows
}
