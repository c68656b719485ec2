/**
 * How much may wait in the streams of a connection, because nobody takes it yet, without holding up others. An endpoint serves many
 * clients over one connection: those that do not read must not use up its window. A client harms only itself.
 *
 * What waits is bounded by the windows of streams first: a connection to an endpoint carries no more streams than may all wait at once.
 */
import type { Http2ClientOptions } from "@sallyport/model/cluster";

/** Bytes. */
export const ALLOWANCE = { client: 33_554_432, server: 0 } as const;

/** Streams that a connection to an endpoint may carry: as many as are wanted, and as the allowance can bear with such windows. */
export function toMostStreams({
  maxConcurrentStreams,
  streamWindow,
}: Pick<Http2ClientOptions, "maxConcurrentStreams" | "streamWindow">): number {
  return Math.min(maxConcurrentStreams, Math.max(1, Math.floor(ALLOWANCE.client / streamWindow)));
}
