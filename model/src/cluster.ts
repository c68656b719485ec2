/** A cluster: one upstream service port, how to find its endpoints and how to talk to them. */
import { Type, type Static } from "typebox";
import { TlsVersion } from "./listener.ts";
import { Count, Port } from "./number.ts";
import { RetryBudget } from "./retry.ts";
import { Balancer, HealthCheck, Limits, LocalityBalancing, OutlierDetection } from "./traffic.ts";

/** Where endpoints come from: an endpoint set of the same key, or names resolved by DNS. */
export const Discovery = Type.Union([
  Type.Object({ kind: Type.Literal("endpoints") }),
  Type.Object({
    kind: Type.Literal("dns"),
    names: Type.Array(Type.Object({ hostname: Type.String(), port: Port })),
    /** Which addresses are used; absent: IPv4, and IPv6 only where there is no IPv4. */
    family: Type.Optional(Type.Union([Type.Literal("ipv4"), Type.Literal("ipv6"), Type.Literal("both")])),
    /** Names are asked for again after so many milliseconds, whatever their TTL is; absent: by their TTL. */
    refresh: Type.Optional(Count),
    /**
     * `routable`: addresses of special use (special-use.ts) are left out of answers, at each answer anew, because names are not written by
     * whom everything on the proxy's machine trusts; absent: any address is used.
     */
    addresses: Type.Optional(Type.Literal("routable")),
  }),
]);
/** Where endpoints come from. */
export type Discovery = Static<typeof Discovery>;

/** TLS towards the endpoints. Without it they are spoken to in the clear; with it never, whatever goes wrong. */
export const UpstreamTls = Type.Object({
  /** Server name to send; the certificate must be for it, unless `identities` says otherwise. */
  serverName: Type.String(),
  /** What the certificate must name, any of them; empty: the server name. */
  identities: Type.Array(
    Type.Union([
      Type.Object({ kind: Type.Literal("dns"), name: Type.String() }),
      Type.Object({ kind: Type.Literal("uri"), uri: Type.String() }),
    ]),
  ),
  /** Keys of `authorities` resources, any of them; `system`: those this machine trusts. */
  trust: Type.Union([Type.Literal("system"), Type.Array(Type.String())]),
  /** Key of the `secret` shown to servers that ask for a certificate. */
  clientCertificate: Type.Optional(Type.String()),
  minVersion: Type.Optional(TlsVersion),
  maxVersion: Type.Optional(TlsVersion),
  ciphers: Type.Optional(Type.Array(Type.String())),
});
/** TLS towards the endpoints. */
export type UpstreamTls = Static<typeof UpstreamTls>;

/** Limits and habits of HTTP/2 connections to endpoints. Milliseconds and bytes. */
export const Http2ClientOptions = Type.Object({
  /** Requests at once on one connection; the endpoint may allow fewer. */
  maxConcurrentStreams: Count,
  /**
   * What an endpoint may send of one answer, and of all answers of a connection, beyond what was passed on. Answers that wait for slow
   * clients count against the first alone, up to 32 MiB a connection.
   */
  streamWindow: Count,
  connectionWindow: Count,
  /** A connection that was silent for so long while requests are on it is asked whether it lives (PING); 0: never. */
  pingInterval: Count,
  /** How long it may take to say so. */
  pingTimeout: Count,
});
/** Limits and habits of HTTP/2 connections to endpoints. */
export type Http2ClientOptions = Static<typeof Http2ClientOptions>;

/** What clusters have unless their owner says otherwise. gRPC servers count pings that come more often than every five minutes as abuse. */
export const DEFAULT_HTTP2_CLIENT_OPTIONS: Http2ClientOptions = {
  maxConcurrentStreams: 1024,
  streamWindow: 262_144,
  connectionWindow: 1_048_576,
  pingInterval: 300_000,
  pingTimeout: 10_000,
};

/** One cluster. Times in milliseconds. */
export const Cluster = Type.Object({
  kind: Type.Literal("cluster"),
  /** `namespace/service:port`, with `~` and more where one Service port is talked to in several ways. */
  key: Type.String(),
  discovery: Discovery,
  /**
   * What HTTP exchanges speak to it; routes that pass bytes or datagrams on do not ask. `http2`: nothing else, with prior knowledge
   * in the clear and over TLS only where the endpoint chooses `h2`; `auto`: what the endpoint chooses in the TLS handshake (in
   * the clear HTTP/1.1).
   */
  protocol: Type.Union([Type.Literal("http1"), Type.Literal("http2"), Type.Literal("auto")]),
  tls: Type.Optional(UpstreamTls),
  /** Version of the PROXY header in front of connections that pass bytes on; HTTP connections are shared and have none. */
  proxyProtocol: Type.Optional(Type.Union([Type.Literal("v1"), Type.Literal("v2")])),
  /** Connections of HTTP/2; absent: the defaults. */
  http2: Type.Optional(Http2ClientOptions),
  balancer: Balancer,
  /** Absent: hints of endpoints alone say which of them are near. */
  locality: Type.Optional(LocalityBalancing),
  /** Absent: no endpoint is ejected. */
  outlierDetection: Type.Optional(OutlierDetection),
  /** Absent: endpoints are well until something else says that they are not. */
  healthCheck: Type.Optional(HealthCheck),
  /** Percent; absent: DEFAULT_PANIC_THRESHOLD. 0: what is not fit is never used. */
  panicThreshold: Type.Optional(Count),
  connectTimeout: Count,
  limits: Limits,
  /** Absent: the default. */
  retryBudget: Type.Optional(RetryBudget),
  pool: Type.Object({
    /** An idle connection older than this is closed; keep it below the backend's own keep-alive time. */
    idleTimeout: Count,
    /** A connection is not reused after this age; 0: no limit. */
    maxLifetime: Count,
    /** A connection is not reused after so many requests; absent: no limit. */
    maxRequests: Type.Optional(Count),
    /** Silence after which the kernel asks whether the other side still lives (SO_KEEPALIVE); absent: never. */
    tcpKeepAlive: Type.Optional(Count),
  }),
});
/** One cluster. */
export type Cluster = Static<typeof Cluster>;

/** What a cluster has unless its owner says otherwise. */
export const DEFAULT_CLUSTER = {
  balancer: { kind: "least-request" },
  connectTimeout: 10_000,
  limits: { connections: 4096, pending: 4096 },
  pool: { idleTimeout: 60_000, maxLifetime: 0 },
} as const satisfies Omit<Cluster, "kind" | "key" | "discovery" | "protocol">;
