/** An endpoint with a connection counted on it that somebody else opens and closes. */
import type { EndpointLease } from "./contract.ts";
import type { EndpointHost } from "./endpoint-host.ts";

/** Who counts the connection: the cluster. */
export interface LeaseKeeper {
  onReleased(host: EndpointHost): void;
}

/** A lease of one endpoint of one cluster, with the cluster's terms as they were when it was given. */
export class HeldLease implements EndpointLease {
  readonly endpoint: EndpointHost;
  readonly connectTimeout: EndpointLease["connectTimeout"];
  readonly tls: EndpointLease["tls"];
  readonly proxyProtocol: EndpointLease["proxyProtocol"];
  readonly tcpKeepAlive: EndpointLease["tcpKeepAlive"];
  readonly #keeper: LeaseKeeper;
  #isReleased = false;

  constructor(
    keeper: LeaseKeeper,
    endpoint: EndpointHost,
    terms: Pick<EndpointLease, "connectTimeout" | "proxyProtocol" | "tcpKeepAlive" | "tls">,
  ) {
    this.#keeper = keeper;
    this.endpoint = endpoint;
    this.connectTimeout = terms.connectTimeout;
    this.tls = terms.tls;
    this.proxyProtocol = terms.proxyProtocol;
    this.tcpKeepAlive = terms.tcpKeepAlive;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#keeper.onReleased(this.endpoint);
  }
}
