/**
 * The seam between codecs and routing: a bound port resolves a request to a compiled rule. Everything an exchange does
 * per rule is resolved at compile time; the exchange only follows references.
 */
import type {
  ConnectionOptions,
  HttpServerOptions,
  ListenerProtocol,
  ListenerTls,
  ProxyProtocolIn,
  StreamOptions,
} from "@sallyport/model/listener";
import type { SessionPersistence } from "@sallyport/model/session";
import type { Filter } from "@sallyport/policies/filter";
import type { UpstreamCluster } from "../cluster/contract.ts";
import type { CompiledRetry } from "../retry/policy.ts";

/** What routing asks of a request. Strings are latin1 text of the request's bytes. */
export interface RouteInput {
  readonly method: string;
  /** Lower case, without port, without trailing dot; IPv6 in brackets. */
  readonly host: string;
  /** Normalised, without query. */
  readonly routePath: string;
  /** What follows `?`, "" where there is none. */
  readonly routeQuery: string;
  /** Value of a field (names lower case); repeated ones joined with "," (cookies with "; "). */
  header(name: string): string | undefined;
}

/** Where a share of a rule's requests goes. `cluster` undefined: the backend is invalid and answers 500. */
export interface CompiledBackend {
  readonly cluster: UpstreamCluster | undefined;
  /** Why there is no cluster; "" otherwise. */
  readonly invalid: string;
  /** Filters of this backend, run after those of the rule. */
  readonly filters: readonly Filter[];
}

/** How clients of a rule keep the endpoint that answered them first. */
export interface CompiledSession {
  readonly policy: SessionPersistence;
  /** By the mark of their cluster (../session): also those of weight 0, which keep the sessions that they have (GEP-1619). */
  readonly backends: ReadonlyMap<string, CompiledBackend>;
}

/** Limits of exchanges and tunnels that a rule sets itself. */
export interface StreamLimits {
  /** Milliseconds of silence; 0: any; undefined: those of the listener. */
  readonly idleTimeout: number | undefined;
  /** Milliseconds from the head of the request to the end, whatever happens meanwhile; 0: no limit. */
  readonly maxDuration: number;
}

/** One rule of one route, ready to run. */
export interface CompiledRule {
  /** `namespace/name` of the route. */
  readonly routeKey: string;
  /** Rule name, or its index as text. */
  readonly ruleName: string;
  /** `namespace/name/rule`, for logs and metrics. */
  readonly label: string;
  /** Filters of the rule, in order; empty for most. */
  readonly filters: readonly Filter[];
  /** The only backend where there is exactly one of weight > 0; lets the codec cache the choice. */
  readonly single: CompiledBackend | undefined;
  /** Picks by weight; undefined where the rule has no backend (answers 500 unless a filter replied). */
  pick(): CompiledBackend | undefined;
  /** Milliseconds, 0 for none: whole exchange, and each try upstream. */
  readonly requestTimeout: number;
  readonly backendTimeout: number;
  /** Undefined: tries are not made again, but for what nobody can have seen. */
  readonly retry: CompiledRetry | undefined;
  /** Undefined: it sets none. */
  readonly limits: StreamLimits | undefined;
  readonly session: CompiledSession | undefined;
}

/** What a request resolved to: the listener it belongs to (for options, metrics), and the rule if one matches. */
export interface RouteResult {
  readonly listener: CompiledListener;
  readonly rule: CompiledRule | undefined;
  /** The part of the path a prefix match covered, without trailing slash; undefined where the rule matched otherwise. */
  readonly matchedPrefix: string | undefined;
  /** Path attribute of the cookie of its session; undefined where the rule has none. */
  readonly cookiePath?: string | undefined;
  /** False where the choice looked at headers or query of a kind that makes caching by head unsafe; always true today. */
  readonly cacheable: boolean;
}

/** One listener of the running configuration. */
export interface CompiledListener {
  /** `namespace/gateway/listener`. */
  readonly key: string;
  readonly port: number;
  readonly protocol: ListenerProtocol;
  readonly http: HttpServerOptions;
  /** Limits where bytes or datagrams are passed on. */
  readonly stream: StreamOptions;
  /** Index of its block of metric cells. */
  readonly metrics: number;
}

/** Where a share of a route's connections or sessions goes. `cluster` undefined: the backend is invalid. */
export interface CompiledStreamBackend {
  readonly cluster: UpstreamCluster | undefined;
  /** Why there is no cluster; "" otherwise. */
  readonly invalid: string;
}

/** A route for connections or datagram sessions, ready to run. */
export interface CompiledStreamRoute {
  /** `kind/namespace/name`. */
  readonly key: string;
  /** Picks by weight; undefined where the route has no backend: the connection is closed. */
  pick(): CompiledStreamBackend | undefined;
}

/** What a port does with a connection or datagram before anything else. */
export type BindTransport = "http" | "tls" | "tcp" | "udp";

/** One bound port of the running configuration. */
export interface CompiledBind {
  /** `address:port`; `udp/address:port` for UDP. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Never changes for one key while it is bound, save between `http`, `tls` and `tcp`: open connections keep theirs. */
  readonly transport: BindTransport;
  /** Most specific listener by host, then its rules by precedence. undefined listener: no listener has this host (404). */
  route(input: RouteInput): RouteResult | undefined;
  /** Options for what happens before a head is complete (limits, timeouts): the strictest of the listeners here. */
  readonly http: HttpServerOptions;
  /** The listener that stands for the port where no request could be read. */
  readonly fallback: CompiledListener;
  /** Of transport `tls`: what is done with a connection, by server name. */
  readonly tls: CompiledTls | undefined;
  /** Of transport `tcp` and `udp`: the route; undefined: none, connections are closed and datagrams dropped. */
  readonly stream: CompiledStreamRoute | undefined;
  /** Whose PROXY header is believed; undefined: nobody's. */
  readonly proxyProtocol: ProxyProtocolIn | undefined;
  /** Limits of its connections: the strictest of the listeners here. */
  readonly connections: ConnectionOptions;
  /** Key of the listener whose limit of connections that is; undefined where there is none. */
  readonly limiter?: string | undefined;
}

/** The ways of one TLS port. */
export interface CompiledTls {
  /**
   * The way of a connection for a server name (lower case; undefined: none was sent), by the most specific listener, then the
   * most specific route. undefined: nobody serves this name, and the connection is closed without an alert.
   */
  choose(serverName: string | undefined): CompiledTlsChain | undefined;
}

/** What is done with a TLS connection. Kept while nothing of it changes, so that it can be a key. */
export interface CompiledTlsChain {
  readonly listener: CompiledListener;
  /** How it is terminated; undefined: it is passed on as it is. */
  readonly termination: TlsTermination | undefined;
  /** Whether requests are read inside (protocol https), or bytes are passed on by `stream`. */
  readonly carries: "http" | "stream";
  /** Undefined for HTTP, and where no route takes this name: the connection is closed without an alert. */
  readonly stream: CompiledStreamRoute | undefined;
}

/** Everything a handshake depends on. */
export interface TlsTermination {
  /** Hash of all that is below: equal ids are equal terminations, whatever listener they came from. */
  readonly id: string;
  /**
   * Hash of the listener, of what clients must prove (mode, authorities, revocations) and of the protocol inside: the session id
   * context. A session is resumed only where this is the same, so that a ticket earned under one authority never stands for
   * a certificate of another, nor after the authority or its revocation list has changed.
   */
  readonly sessionContext: string;
  /** At least one; several of different key types for one name are all offered (RSA and ECDSA). */
  readonly certificates: readonly ServerCertificate[];
  readonly clientValidation: TlsClientValidation | undefined;
  readonly minVersion: NonNullable<ListenerTls["minVersion"]>;
  readonly maxVersion: NonNullable<ListenerTls["maxVersion"]>;
  readonly ciphers: readonly string[] | undefined;
  /** Best first; empty: none is negotiated. */
  readonly applicationProtocols: readonly string[];
}

/** A certificate as a server shows it. PEM. */
export interface ServerCertificate {
  readonly chain: string;
  readonly key: string;
  /** DER of an OCSP response to staple. */
  readonly ocspStaple: Buffer | undefined;
}

/** What clients must prove. PEM. */
export interface TlsClientValidation {
  readonly mode: "require" | "optional" | "request";
  readonly authorities: readonly string[];
  readonly revocations: readonly string[];
}

/** A whole configuration, active as one: a connection looks it up for each request and keeps it to the end of that one. */
export interface Runtime {
  readonly epoch: number;
  readonly binds: ReadonlyMap<string, CompiledBind>;
  /** A cluster by key, for mirrors; undefined where it is unknown or cannot be served. */
  cluster(key: string): UpstreamCluster | undefined;
}
