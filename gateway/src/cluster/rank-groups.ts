/** How a rank of endpoints is divided: by weights that places are given, or by what zones can bear. */
import type { LocalityBalancing } from "@sallyport/model/traffic";
import type { Place } from "./contract.ts";
import { isSameZone, isWithin, type Located, toPrecision } from "./locality-rank.ts";
import { toZoneShares } from "./zone-shares.ts";

interface Weighted {
  readonly configuredWeight: number;
}

/** Endpoints of one rank. */
export interface Rank<T> {
  readonly members: readonly T[];
  readonly isUsed: (one: T) => boolean;
  /** Whether it belongs to what health is measured by. */
  readonly counts: (one: T) => boolean;
  readonly isPanicking: boolean;
}

/** Part of a rank. */
export interface Group<T> {
  /** Unique in the rank. */
  readonly name: string;
  readonly members: readonly T[];
  /** Relative to the others of the rank. */
  readonly weight: number;
}

/** Places with weights. */
export interface Targets {
  /** The target an endpoint belongs to: the one that says most of where it is, of those the first. */
  of(endpoint: Located): Target | undefined;
}

interface Target {
  readonly locality: string;
  readonly weight: number;
}

const NOWHERE = { region: "", zone: "", subzone: "" };

/**
 * Where traffic from this place is to go by weight; undefined where nothing is said. Where none of the endpoints (those that are fit) is in
 * any of the targets nothing counts as said: to be served elsewhere is better than to be refused.
 */
export function toTargets(
  locality: LocalityBalancing | undefined,
  endpoints: readonly Located[],
  place: Place,
): Targets | undefined {
  const rule = locality?.distribute.find(({ from }) => isWithin(place, from));
  if (rule === undefined) return undefined;
  const sorted = rule.to.filter(({ weight }) => weight > 0);
  sorted.sort((one, other) => toPrecision(other.locality) - toPrecision(one.locality));
  const of = (endpoint: Located): Target | undefined =>
    sorted.find((target) => isWithin(endpoint.locality ?? NOWHERE, target.locality));
  return endpoints.some((endpoint) => of(endpoint) !== undefined) ? { of } : undefined;
}

/** A group for each target; what one is too ill for goes to the others, as between ranks (Envoy: locality weighted). */
export function groupByTarget<T extends Located & Weighted>(
  rank: Rank<T>,
  targets: Targets,
  overprovisioning: number,
): Group<T>[] {
  const groups = Map.groupBy(rank.members, (member) => targets.of(member));
  return [...groups].map(([target, members]) => {
    const total = weigh(members.filter(rank.counts));
    const fit = total > 0 ? weigh(members.filter(rank.isUsed)) / total : 0;
    const health = rank.isPanicking ? 1 : Math.min(1, overprovisioning * fit);
    return { name: target?.locality ?? "", members, weight: (target?.weight ?? 0) * health };
  });
}

/** A group for each zone, where there are enough endpoints and some of them are in the zone of this place; else one. */
export function groupByZone<T extends Located & Weighted>(
  rank: Rank<T>,
  zoneAware: LocalityBalancing["zoneAware"],
  place: Place,
): Group<T>[] {
  const whole = [{ name: "", members: rank.members, weight: 1 }];
  const used = rank.members.filter(rank.isUsed);
  if (zoneAware === undefined || rank.isPanicking || used.length < zoneAware.minimumEndpoints) return whole;
  const own = used.find(({ locality }) => isSameZone(locality, place));
  if (own === undefined) return whole;
  const zones = new Map([...Map.groupBy(used, toZone)].map(([zone, members]) => [zone, weigh(members)]));
  const shares = toZoneShares(zones, toZone(own));
  return [...Map.groupBy(rank.members, toZone)].map(([name, members]) => {
    return { name, members, weight: shares.get(name) ?? 0 };
  });
}

/** Of all of them. */
export function weigh(endpoints: readonly Weighted[]): number {
  return endpoints.reduce((sum, { configuredWeight }) => sum + configuredWeight, 0);
}

function toZone({ locality }: Located): string {
  return `${locality?.region ?? ""}/${locality?.zone ?? ""}`;
}
