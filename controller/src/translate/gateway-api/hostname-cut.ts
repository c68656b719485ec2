/** How much a listener cuts the hostnames of a route: it makes `abc.example.com` of `*.example.com` and of `*.com`. */
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
import type { RouteObject } from "./route-parents.ts";

/** A hostname of a listener. */
export interface ListenerHostname {
  readonly listener: ListenerPlan;
  readonly hostname: string;
}

/**
 * By how much the narrowest of a route's hostnames is wider than what the listener makes of it: 0 where it is the same, and
 * less for a long wildcard than for a short one. Of routes that come to one hostname the one that was cut least goes first
 * (Gateway API, GatewayRouteHostnameIntersectionPrecedence).
 */
export function toHostnameCut({ object: { spec } }: RouteObject, { listener, hostname }: ListenerHostname): number {
  const own = "hostnames" in spec ? (spec.hostnames ?? []) : [];
  const names = own.length === 0 ? [ANY_HOST] : own;
  const cuts = names
    .filter((name) => intersectHostnames(listener.hostname ?? ANY_HOST, name) === hostname)
    .map((name) => (name === hostname ? 0 : 1 + hostname.length - name.length));
  return Math.min(...cuts);
}
