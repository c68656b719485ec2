/** HTTP options of a port that several listeners share: what counts before it is known whose request it is. */
import {
  type ConnectionOptions,
  DEFAULT_HTTP2_SERVER_OPTIONS,
  type Http2ServerOptions,
  type HttpServerOptions,
} from "@sallyport/model/listener";
import type { TrustOptions } from "../head/client-trust.ts";

/** The strictest of each. There must be at least one. */
export function toStrictest(options: readonly HttpServerOptions[]): HttpServerOptions {
  return options.reduce((one, other) => ({
    ...toStrictestTerm(one, other),
    ...toTrustOfBoth(one, other),
    maxHeadBytes: Math.min(one.maxHeadBytes, other.maxHeadBytes),
    maxHeaderFields: Math.min(one.maxHeaderFields, other.maxHeaderFields),
    headTimeout: Math.min(one.headTimeout, other.headTimeout),
    bodyIdleTimeout: Math.min(one.bodyIdleTimeout, other.bodyIdleTimeout),
    idleTimeout: Math.min(one.idleTimeout, other.idleTimeout),
    streamIdleTimeout: Math.min(one.streamIdleTimeout, other.streamIdleTimeout),
    underscores: toFirst(["reject", "drop", "allow"], one.underscores, other.underscores),
    mergeSlashes: one.mergeSlashes || other.mergeSlashes,
    escapedSlashes: toFirst(
      ["reject", "unescape-and-redirect", "unescape-and-forward", "keep"],
      one.escapedSlashes,
      other.escapedSlashes,
    ),
    http2: toStrictestHttp2(one.http2, other.http2),
  }));
}

/** The strictest of what any of them limits. */
export function toStrictestConnections(options: readonly (ConnectionOptions | undefined)[]): ConnectionOptions {
  const maxConnections = toLeast(options.map((each) => each?.maxConnections));
  const tcpKeepAlive = toLeast(options.map((each) => each?.tcpKeepAlive));
  return {
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(tcpKeepAlive === undefined ? {} : { tcpKeepAlive }),
  };
}

function toStrictestTerm(
  one: HttpServerOptions,
  other: HttpServerOptions,
): Pick<HttpServerOptions, "maxRequests" | "maxDuration"> {
  const maxRequests = toLeast([one.maxRequests, other.maxRequests]);
  const maxDuration = toLeast([one.maxDuration, other.maxDuration]);
  return {
    ...(maxRequests === undefined ? {} : { maxRequests }),
    ...(maxDuration === undefined ? {} : { maxDuration }),
  };
}

/** Of those that are there. */
function toLeast(values: readonly (number | undefined)[]): number | undefined {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** Proxies that both trust; where one counts hops and the other names addresses nobody is trusted by both. */
function toTrustOfBoth(one: HttpServerOptions, other: HttpServerOptions): TrustOptions {
  const trustedHops = Math.min(one.trustedHops, other.trustedHops);
  if (one.trustedProxies === undefined || other.trustedProxies === undefined) return { trustedHops };
  return { trustedHops, trustedProxies: one.trustedProxies.filter((entry) => other.trustedProxies?.includes(entry)) };
}

/** A listener that says nothing has the defaults. */
function toStrictestHttp2(
  one = DEFAULT_HTTP2_SERVER_OPTIONS,
  other = DEFAULT_HTTP2_SERVER_OPTIONS,
): Http2ServerOptions {
  return {
    maxConcurrentStreams: Math.min(one.maxConcurrentStreams, other.maxConcurrentStreams),
    streamWindow: Math.min(one.streamWindow, other.streamWindow),
    connectionWindow: Math.min(one.connectionWindow, other.connectionWindow),
    abuseBudget: Math.min(one.abuseBudget, other.abuseBudget),
  };
}

function toFirst<T>(order: readonly T[], one: T, other: T): T {
  return order.indexOf(one) <= order.indexOf(other) ? one : other;
}
