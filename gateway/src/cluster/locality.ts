/**
 * Which endpoints are near: the rule of kube-proxy for the hints of EndpointSlices (KEP-2433, KEP-4444). Hints count only where every
 * ready endpoint has one of that kind and at least one is meant for this place; nodes come before zones.
 */
import type { Place } from "./contract.ts";

/** What an endpoint says of whom it is meant for; undefined or empty: nothing. */
export interface Hinted {
  readonly forZones: readonly string[] | undefined;
  readonly forNodes: readonly string[] | undefined;
}

/** Nobody said where this is. */
export const NOWHERE: Place = { region: "", zone: "", subzone: "", node: "", labels: {}, regions: new Map() };

/** Those of the ready endpoints that requests from this place go to. */
export function preferNear<T extends Hinted>(ready: readonly T[], { zone, node }: Place): readonly T[] {
  return pick(ready, node, ({ forNodes }) => forNodes) ?? pick(ready, zone, ({ forZones }) => forZones) ?? ready;
}

function pick<T>(
  ready: readonly T[],
  here: string,
  hintsOf: (endpoint: T) => readonly string[] | undefined,
): readonly T[] | undefined {
  if (here === "") return undefined;
  const near: T[] = [];
  for (const endpoint of ready) {
    const hints = hintsOf(endpoint);
    if (hints === undefined || hints.length === 0) return undefined;
    if (hints.includes(here)) near.push(endpoint);
  }
  return near.length > 0 ? near : undefined;
}
