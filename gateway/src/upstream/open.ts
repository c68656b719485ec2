/**
 * Opens connections to endpoints in the protocol of their cluster. Where the endpoint is to choose (`auto`), it does so in the TLS
 * handshake (ALPN, RFC 7301): no request is handed over before, because until then nobody knows how many there can be.
 */
import type { OpenOptions, UpstreamConnection } from "../cluster/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { openHttp1 } from "../http1/client.ts";
import { openHttp2 } from "../http2/client.ts";
import { openNegotiated } from "./negotiated.ts";

/** Opens a connection. */
export function openUpstream(options: OpenOptions, dependencies: UpstreamDependencies): UpstreamConnection {
  switch (options.protocol) {
    case "http1":
      return openHttp1(options, dependencies);
    case "http2":
      return openHttp2(options, dependencies);
    case "auto":
      // in the clear there is nothing to ask; and who asks for another protocol gets the version in which everybody can
      return options.tls === undefined || options.upgrades
        ? openHttp1(options, dependencies)
        : openNegotiated(options, dependencies);
  }
}
