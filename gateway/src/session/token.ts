/**
 * What a client holds of its session, in a cookie or a field: `1-<endpoint>-<cluster>-<begun>-<used>`, times in seconds since 1970 in
 * base 36. It is not signed, because it gives no power: whoever makes one up chooses among the endpoints that his request could have been
 * sent to anyway, and the times end nobody's session but his own.
 */

/** A session, as a client holds it. */
export interface SessionToken {
  /** UpstreamEndpoint.session. */
  readonly endpoint: string;
  /** The mark of the endpoint's cluster. */
  readonly cluster: string;
  /** Seconds since 1970. */
  readonly begun: number;
  readonly used: number;
}

/** When a session ends. Milliseconds. */
export interface SessionLimits {
  readonly absoluteTimeout?: number;
  readonly idleTimeout?: number;
}

const TOKEN = /^1-([0-9a-f]{16})-([0-9a-f]{8})-([0-9a-z]{1,8})-([0-9a-z]{1,8})$/;

/** The session of a value; undefined where it is none of ours. */
export function parseToken(value: string): SessionToken | undefined {
  const [, endpoint, cluster, begun, used] = TOKEN.exec(value) ?? [];
  if (endpoint === undefined || cluster === undefined || begun === undefined || used === undefined) return undefined;
  return { endpoint, cluster, begun: Number.parseInt(begun, 36), used: Number.parseInt(used, 36) };
}

/** The value of a session. */
export function formatToken({ endpoint, cluster, begun, used }: SessionToken): string {
  return `1-${endpoint}-${cluster}-${begun.toString(36)}-${used.toString(36)}`;
}

/** Whether the session is over. `now` in seconds since 1970. */
export function isOver(
  { begun, used }: SessionToken,
  { absoluteTimeout, idleTimeout }: SessionLimits,
  now: number,
): boolean {
  return isPast(begun, absoluteTimeout, now) || isPast(used, idleTimeout, now);
}

/** Whole seconds are counted: a session ends up to one later, and never before its time. */
function isPast(since: number, limit: number | undefined, now: number): boolean {
  return limit !== undefined && limit > 0 && (now - since - 1) * 1000 >= limit;
}
