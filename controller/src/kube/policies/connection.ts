/** `timeout`, `connection`, `http2`, `dns`, `proxyProtocol` of a BackendTrafficPolicy: how backends are talked to. */
import { duration, integer, quantity, section, word } from "./field.ts";
import type { Field } from "./field.ts";

/** How long things may take. */
export function timeout(): Field {
  const rules = [
    {
      rule:
        "!has(self.request) || !has(self.backendRequest) || duration(self.request) == duration('0s') || " +
        "duration(self.backendRequest) <= duration(self.request)",
      message: "backendRequest is part of request and must not be longer",
    },
  ];
  const fields = {
    connect: duration("Until a connection to an endpoint is up, with TLS. Default: 10s.", {
      minimum: "1ms",
      maximum: "10m",
    }),
    request: duration(
      "From the head of a request until the whole answer, the upload, retries and waits included. The timeouts of an HTTPRoute's rule go before this. Default: no limit.",
    ),
    backendRequest: duration("From the head of a try until its whole answer. Default: no limit."),
    streamIdle: duration("Longest silence inside a request, answer or tunnel. Default: that of the listener, 5m."),
    maxStreamDuration: duration("Longest life of a request, answer or tunnel. Default: no limit."),
    connectionIdle: duration(
      "After so long without a request a connection to an endpoint is closed. Keep it below what the endpoint does itself. Default: 1m.",
    ),
    maxConnectionDuration: duration(
      "After so long a connection to an endpoint is used for no further request. Default: no limit.",
    ),
  };
  return section("How long things may take. 0s switches a limit off, but for connect.", fields, { rules });
}

/** Habits of connections to endpoints. */
export function connection(): Field {
  return section("Habits of connections to endpoints.", {
    tcpKeepAlive: duration(
      "Silence after which the system asks whether the other side still lives (SO_KEEPALIVE). Default: never.",
      { minimum: "1s", maximum: "24h" },
    ),
  });
}

/** HTTP/2 to endpoints. */
export function backendHttp2(): Field {
  return section("HTTP/2 to endpoints.", {
    maxConcurrentStreams: integer(
      "Requests at once on one connection; the endpoint may allow fewer. Never more than streamWindow goes into 32Mi. Default: 1024, which is 128 with the default of streamWindow.",
      { minimum: 1, maximum: 2_147_483_647 },
    ),
    streamWindow: quantity(
      "What an endpoint may send of one answer beyond what was passed on, below 2Gi. Default: 256Ki.",
    ),
    connectionWindow: quantity("The same for all answers of a connection, below 2Gi. Default: 1Mi."),
    pingInterval: duration(
      "A connection that was silent for so long while requests are on it is asked whether it lives; 0s: never. Default: 5m; servers of gRPC count more as abuse.",
    ),
    pingTimeout: duration("How long the endpoint may take to say so. Default: 10s.", {
      minimum: "1ms",
      maximum: "10m",
    }),
  });
}

/** Names of backends in DNS. */
export function dns(): Field {
  return section("How names are resolved, where a backend is a name in DNS (Services of type ExternalName).", {
    lookupFamily: word(
      "Which addresses are used. IPv4Preferred: those of IPv4, and those of IPv6 only where there are none. IPv4AndIPv6: all, each as an endpoint of its own.",
      ["IPv4Preferred", "IPv4", "IPv6", "IPv4AndIPv6"],
      "IPv4Preferred",
    ),
    refreshInterval: duration("Names are asked for again after so long. Default: as their time to live says.", {
      minimum: "1s",
      maximum: "24h",
    }),
  });
}

/** The PROXY protocol towards endpoints. */
export function backendProxyProtocol(): Field {
  return section(
    "Connections begin with a PROXY header that tells the address of the client. For connections that are passed on as bytes (TLSRoute, TCPRoute): those of HTTP are shared by clients. Default: none.",
    { version: word("V1: text. V2: binary.", ["V1", "V2"]) },
    { required: ["version"] },
  );
}
