/** HTTP options of a port that several listeners share: what counts before it is known whose request it is. */
import type { HttpServerOptions } from "@sallyport/model/listener";

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
  }));
}

function toFirst<T>(order: readonly T[], one: T, other: T): T {
  return order.indexOf(one) <= order.indexOf(other) ? one : other;
}
