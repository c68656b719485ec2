/** How long a client is waited for when it has no exchange. */
import type { HttpServerOptions } from "@sallyport/model/listener";
import type { Outlet } from "../wire/outlet.ts";

/** Milliseconds that an ended connection is read on. */
export const LINGER = 1500;

/**
 * Milliseconds before the next request; `begun`: something of its head is there. A client that has not read its answers owes that before
 * all else, and nothing is read of it meanwhile.
 */
export function betweenRequests(http: HttpServerOptions, outlet: Outlet, begun: boolean): number {
  if (outlet.clogged) return http.streamIdleTimeout;
  return begun ? http.headTimeout : http.idleTimeout;
}

/** Milliseconds after the last answer: who still reads it must not lose what is not sent yet. */
export function afterEnd(http: HttpServerOptions, outlet: Outlet): number {
  return outlet.unsent ? http.streamIdleTimeout : LINGER;
}
