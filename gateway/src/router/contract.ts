/**
 * The seam between codecs and routing: a bound port resolves a request to a compiled rule. Everything an exchange does
 * per rule is resolved at compile time; the exchange only follows references.
 */
import type { HttpServerOptions } from "@sallyport/model/listener";
import type { Filter } from "@sallyport/policies/filter";
import type { UpstreamCluster } from "../cluster/contract.ts";

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
}

/** What a request resolved to: the listener it belongs to (for options, metrics), and the rule if one matches. */
export interface RouteResult {
  readonly listener: CompiledListener;
  readonly rule: CompiledRule | undefined;
  /** The part of the path a prefix match covered, without trailing slash; undefined where the rule matched otherwise. */
  readonly matchedPrefix: string | undefined;
  /** False where the choice looked at headers or query of a kind that makes caching by head unsafe; always true today. */
  readonly cacheable: boolean;
}

/** One listener of the running configuration. */
export interface CompiledListener {
  /** `namespace/gateway/listener`. */
  readonly key: string;
  readonly port: number;
  readonly protocol: "http" | "https";
  readonly http: HttpServerOptions;
  /** Index of its block of metric cells. */
  readonly metrics: number;
}

/** One bound port of the running configuration. */
export interface CompiledBind {
  /** `address:port`. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Most specific listener by host, then its rules by precedence. undefined listener: no listener has this host (404). */
  route(input: RouteInput): RouteResult | undefined;
  /** Options for what happens before a head is complete (limits, timeouts): the strictest of the listeners here. */
  readonly http: HttpServerOptions;
  /** The listener that stands for the port where no request could be read. */
  readonly fallback: CompiledListener;
  /** Certificates by server name, where the port terminates TLS. */
  readonly tls: CompiledTls | undefined;
}

/** Certificates of a port. */
export interface CompiledTls {
  /** Chain and key for a server name (lower case; undefined: none was sent); undefined: no listener has it. */
  certificate(
    serverName: string | undefined,
  ): { readonly chain: string; readonly key: string; readonly id: string } | undefined;
}

/** A whole configuration, active as one: a connection looks it up for each request and keeps it to the end of that one. */
export interface Runtime {
  readonly epoch: number;
  readonly binds: ReadonlyMap<string, CompiledBind>;
  /** A cluster by key, for mirrors; undefined where it is unknown or cannot be served. */
  cluster(key: string): UpstreamCluster | undefined;
}
