/** HTTP options of a port that several listeners share: what counts before it is known whose request it is. */
import {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  type Http2ServerOptions,
  type HttpServerOptions,
} from "@sallyport/model/listener";

/** The strictest of each. There must be at least one. */
export function toStrictest(options: readonly HttpServerOptions[]): HttpServerOptions {
  return options.reduce((one, other) => ({
    maxHeadBytes: Math.min(one.maxHeadBytes, other.maxHeadBytes),
    maxHeaderFields: Math.min(one.maxHeaderFields, other.maxHeaderFields),
    headTimeout: Math.min(one.headTimeout, other.headTimeout),
    bodyIdleTimeout: Math.min(one.bodyIdleTimeout, other.bodyIdleTimeout),
    idleTimeout: Math.min(one.idleTimeout, other.idleTimeout),
    streamIdleTimeout: Math.min(one.streamIdleTimeout, other.streamIdleTimeout),
    trustedHops: Math.min(one.trustedHops, other.trustedHops),
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
