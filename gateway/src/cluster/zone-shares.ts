/**
 * How much of its traffic a proxy keeps in its zone (Envoy: zone aware routing): as much as leaves no endpoint with more than its share when
 * all proxies do the same.
 *
 * That takes knowing where the proxies are, which nobody tells them. They are taken to be spread evenly over the zones that have endpoints,
 * as topology spread constraints see to. Where they are not, zones with more proxies than that get more.
 */

/** By zone: weight of the endpoints there. `own` is one of them. Shares add up to 1. */
export function toZoneShares(zones: ReadonlyMap<string, number>, own: string): Map<string, number> {
  const total = [...zones.values()].reduce((sum, weight) => sum + weight, 0);
  const proxies = 1 / zones.size;
  const capacityOf = (weight: number): number => weight / total;
  const kept = Math.min(1, capacityOf(zones.get(own) ?? 0) / proxies);
  // What zones can bear beyond what their own proxies keep there.
  const spare = new Map([...zones].map(([zone, weight]) => [zone, Math.max(0, capacityOf(weight) - proxies)]));
  const allSpare = [...spare.values()].reduce((sum, one) => sum + one, 0);
  const shareOf = (zone: string): number => {
    if (zone === own) return kept;
    return kept < 1 && allSpare > 0 ? ((1 - kept) * (spare.get(zone) ?? 0)) / allSpare : 0;
  };
  return new Map([...zones.keys()].map((zone) => [zone, shareOf(zone)]));
}
