/** A listener: one place where traffic comes in, as one listener of one Gateway. Several may share a bound port. */
import { Type, type Static } from "typebox";
import { BindPort, Count, Port } from "./number.ts";

/** Limits and habits of HTTP/2 connections of clients. Milliseconds and bytes. */
export const Http2ServerOptions = Type.Object({
  /** Requests at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS). */
  maxConcurrentStreams: Count,
  /** What a client may send of one request, and of all requests of a connection, beyond what was passed on. */
  streamWindow: Count,
  connectionWindow: Count,
  /**
   * Events that cost us more than the client, beyond what completed requests pay for: resets (its own, and those it provokes), empty
   * frames, SETTINGS, PING, PRIORITY. Over it the connection ends (ENHANCE_YOUR_CALM).
   */
  abuseBudget: Count,
});
/** Limits and habits of HTTP/2 connections of clients. */
export type Http2ServerOptions = Static<typeof Http2ServerOptions>;

/** The hardened defaults; streams and windows follow Envoy's edge guide (best_practices/edge). */
export const DEFAULT_HTTP2_SERVER_OPTIONS: Http2ServerOptions = {
  maxConcurrentStreams: 100,
  streamWindow: 65_536,
  connectionWindow: 1_048_576,
  abuseBudget: 1000,
};

/** Limits and habits of the HTTP server role. All times in milliseconds, sizes in bytes. */
export const HttpServerOptions = Type.Object({
  maxHeadBytes: Count,
  maxHeaderFields: Count,
  /** From the first byte of a head to its last. */
  headTimeout: Count,
  /** Longest wait for the next byte of a request body. */
  bodyIdleTimeout: Count,
  /** Longest silence between exchanges on a kept-alive connection. */
  idleTimeout: Count,
  /** Longest silence inside an exchange or a tunnel. */
  streamIdleTimeout: Count,
  /** How many proxies in front of us are trusted to have written X-Forwarded-For (0: nobody, the edge). */
  trustedHops: Count,
  /**
   * Proxies in front of us, as addresses and CIDR blocks: a peer among them is trusted to have written X-Forwarded-For, which is
   * followed from its end as long as it names others of them. Only where trustedHops is 0.
   */
  trustedProxies: Type.Optional(Type.Array(Type.String())),
  /** Fields whose name holds `_`, which CGI-style backends cannot tell from `-`. */
  underscores: Type.Union([Type.Literal("reject"), Type.Literal("drop"), Type.Literal("allow")]),
  mergeSlashes: Type.Boolean(),
  /** What happens to `%2F` and `%5C` in a path (Envoy: path_with_escaped_slashes_action). */
  escapedSlashes: Type.Union([
    Type.Literal("keep"),
    Type.Literal("reject"),
    Type.Literal("unescape-and-redirect"),
    Type.Literal("unescape-and-forward"),
  ]),
  /** Requests of one connection, which is let go after that many; absent: no limit. */
  maxRequests: Type.Optional(Count),
  /** Longest life of a connection, which is let go once its exchanges are over; absent: no limit. */
  maxDuration: Type.Optional(Count),
  /** Path of which GET and HEAD are answered by the gateway itself: 200, and 503 while it drains. Absent: there is none. */
  healthPath: Type.Optional(Type.String()),
  /** Absent: the defaults. */
  http2: Type.Optional(Http2ServerOptions),
});
/** Limits and habits of the HTTP server role. */
export type HttpServerOptions = Static<typeof HttpServerOptions>;

/** The hardened defaults of Gateway API listeners; the figures follow Envoy's edge guide (best_practices/edge). */
export const DEFAULT_HTTP_SERVER_OPTIONS: HttpServerOptions = {
  maxHeadBytes: 61_440,
  maxHeaderFields: 100,
  headTimeout: 10_000,
  bodyIdleTimeout: 60_000,
  idleTimeout: 3_600_000,
  streamIdleTimeout: 300_000,
  trustedHops: 0,
  underscores: "reject",
  mergeSlashes: true,
  escapedSlashes: "unescape-and-redirect",
};

/**
 * What is asked of a client's certificate. `require`: no connection without a valid one; `optional`: who shows one shows a
 * valid one; `request`: asked for and passed on, whatever it is (Gateway API: AllowInsecureFallback).
 */
export const ClientValidation = Type.Object({
  mode: Type.Union([Type.Literal("require"), Type.Literal("optional"), Type.Literal("request")]),
  /** Keys of the authorities (resources of kind `authorities`) it must chain up to, any of them. */
  authorities: Type.Array(Type.String()),
});
/** What is asked of a client's certificate. */
export type ClientValidation = Static<typeof ClientValidation>;

/** A version of TLS that is served. */
export const TlsVersion = Type.Union([Type.Literal("1.2"), Type.Literal("1.3")]);
/** A version of TLS that is served. */
export type TlsVersion = Static<typeof TlsVersion>;

/** TLS termination. */
export const ListenerTls = Type.Object({
  /** Secrets by key `namespace/name`, in the user's order. */
  certificates: Type.Array(Type.String()),
  clientValidation: Type.Optional(ClientValidation),
  /** Absent: 1.2. */
  minVersion: Type.Optional(TlsVersion),
  /** Absent: 1.3. */
  maxVersion: Type.Optional(TlsVersion),
  /** OpenSSL names of the cipher suites of TLS 1.2 and 1.3, best first; absent: our own order. */
  ciphers: Type.Optional(Type.Array(Type.String())),
});
/** TLS termination. */
export type ListenerTls = Static<typeof ListenerTls>;

/** Limits of connections and sessions that are passed on as bytes. Milliseconds. */
export const StreamOptions = Type.Object({
  /** Longest silence in both directions; for UDP of a session. */
  idleTimeout: Count,
  /** Longest life; 0: no limit. */
  maxLifetime: Count,
});
/** Limits of connections and sessions that are passed on as bytes. */
export type StreamOptions = Static<typeof StreamOptions>;

/** What TCP and TLS listeners have unless their owner says otherwise: an hour of silence, as Envoy's TCP proxy. */
export const DEFAULT_STREAM_OPTIONS: StreamOptions = { idleTimeout: 3_600_000, maxLifetime: 0 };

/** What UDP listeners have unless their owner says otherwise: a minute of silence, as Envoy's UDP proxy. */
export const DEFAULT_DATAGRAM_OPTIONS: StreamOptions = { idleTimeout: 60_000, maxLifetime: 0 };

/** PROXY protocol (versions 1 and 2 of its specification) in front of what clients send. */
export const ProxyProtocolIn = Type.Object({
  /** Peers whose header is believed, as addresses or CIDR blocks; everybody else is served as if there were no such thing. */
  trusted: Type.Array(Type.String()),
  /** Whether a trusted peer must send a header (else its connection is closed) or may. */
  required: Type.Boolean(),
});
/** PROXY protocol in front of what clients send. */
export type ProxyProtocolIn = Static<typeof ProxyProtocolIn>;

/** What holds for connections whatever they carry. Not of UDP, which has none. */
export const ConnectionOptions = Type.Object({
  /** Connections of clients open at once on the port, over all workers; what comes beyond is closed. Absent: no limit. */
  maxConnections: Type.Optional(Count),
  /** Silence in milliseconds after which the kernel asks whether the client still lives (SO_KEEPALIVE); absent: never. */
  tcpKeepAlive: Type.Optional(Count),
});
/** What holds for connections whatever they carry. */
export type ConnectionOptions = Static<typeof ConnectionOptions>;

/**
 * What a listener speaks: `tls` terminates TLS and passes the bytes inside on, `tls-passthrough` passes TLS on as it is, by
 * server name.
 */
export const ListenerProtocol = Type.Union([
  Type.Literal("http"),
  Type.Literal("https"),
  Type.Literal("tls"),
  Type.Literal("tls-passthrough"),
  Type.Literal("tcp"),
  Type.Literal("udp"),
]);
/** What a listener speaks. */
export type ListenerProtocol = Static<typeof ListenerProtocol>;

/** One listener. `port` is what users see and match; the socket is bound at `bind` (after any port map). */
export const Listener = Type.Object({
  kind: Type.Literal("listener"),
  /** `namespace/gateway/listener`, with `set-namespace/set-name/` before `listener` where a ListenerSet has it. */
  key: Type.String(),
  port: Port,
  bind: Type.Object({ address: Type.String(), port: BindPort }),
  protocol: ListenerProtocol,
  /** Lower case; `*.example.com` for any subdomain; absent for all hosts. */
  hostname: Type.Optional(Type.String()),
  /** Where TLS is terminated: protocols `https` and `tls`. */
  tls: Type.Optional(ListenerTls),
  http: HttpServerOptions,
  /** Of protocols that pass bytes on; absent: the defaults. */
  stream: Type.Optional(StreamOptions),
  proxyProtocol: Type.Optional(ProxyProtocolIn),
  /** Of listeners that share a port the strictest counts. */
  connections: Type.Optional(ConnectionOptions),
});
/** One listener. */
export type Listener = Static<typeof Listener>;

/** `address:port`, IPv6 in brackets. */
export function toHostPort({ address, port }: Listener["bind"]): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What listeners that share a socket have in common: `address:port`, and `udp/address:port` for UDP. */
export function toBindKey({ bind, protocol }: Pick<Listener, "bind" | "protocol">): string {
  return protocol === "udp" ? `udp/${toHostPort(bind)}` : toHostPort(bind);
}
