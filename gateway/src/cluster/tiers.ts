/**
 * Who is chosen among before the balancer chooses: endpoints in tiers, each with its share of the traffic. Ranks (by priority, then by
 * nearness) follow each other as their health says; within a rank, places may have shares of their own.
 */
import type { Endpoint } from "@sallyport/model/endpoint";
import type { LocalityBalancing } from "@sallyport/model/traffic";
import type { EndpointState, Place } from "./contract.ts";
import { type Hinted, preferNear } from "./locality.ts";
import { type Located, LOCALITY_RANKS, toLocalityRank } from "./locality-rank.ts";
import { type Group, groupByTarget, groupByZone, type Rank, toTargets, weigh } from "./rank-groups.ts";
import { toLoads } from "./spill.ts";

/** What is asked of an endpoint. */
export interface TierMember extends Hinted, Located {
  /** Share relative to others; 0: none. */
  readonly configuredWeight: number;
  readonly state: Endpoint["state"] | "removed";
  readonly fitness: EndpointState;
  readonly priority: number;
}

/** What is configured. */
export interface TierPolicy {
  readonly locality: LocalityBalancing | undefined;
  /** Percent; 0: never. */
  readonly panicThreshold: number;
}

/** Endpoints among which a balancer chooses. */
export interface Tier<T> {
  /** The same for what is the same tier after a change. */
  readonly key: string;
  /** Those that belong to it, whether they are used or not. */
  readonly members: readonly T[];
  /** Those that are used; none: the tier is not. */
  readonly endpoints: readonly T[];
  /** Of all traffic. 0: it is there for what the others cannot do. */
  readonly share: number;
}

/** Envoy's. */
const DEFAULT_OVERPROVISIONING = 140;

/** The tiers as seen from this place, best first. Shares add up to 1, unless nothing may be used. */
export function toTiers<T extends TierMember>(hosts: readonly T[], policy: TierPolicy, place: Place): Tier<T>[] {
  const { members, isFit, counts } = toCandidates(hosts);
  const { locality, panicThreshold } = policy;
  const fit = members.filter(isFit);
  const targets = toTargets(locality, fit.length > 0 ? fit : members, place);
  const targeted = targets === undefined ? members : members.filter((one) => targets.of(one) !== undefined);
  const ranks = toRanks(targeted, locality, place);
  const healths = ranks.map(([, all]) => ({ fit: weigh(all.filter(isFit)), total: weigh(all.filter(counts)) }));
  const overprovisioning = locality?.overprovisioning ?? DEFAULT_OVERPROVISIONING;
  const loads = toLoads(healths, { overprovisioning, panicThreshold });
  return ranks.flatMap(([number, all], at) => {
    const { share, isPanicking } = loads[at] ?? { share: 0, isPanicking: false };
    const rank: Rank<T> = { members: all, isUsed: isPanicking ? () => true : isFit, counts, isPanicking };
    const groups = toGroups();
    return toParts(groups, rank).map(({ group, endpoints, part }) => {
      return { key: `${number}/${group.name}`, members: group.members, endpoints, share: share * part };
    });

    function toGroups(): readonly Group<T>[] {
      if (targets !== undefined) return groupByTarget(rank, targets, overprovisioning / 100);
      return at === 0 ? groupByZone(rank, locality?.zoneAware, place) : [{ name: "", members: all, weight: 1 }];
    }
  });
}

/** Who may serve at all. */
interface Candidates<T> {
  readonly members: readonly T[];
  readonly isFit: (one: T) => boolean;
  /** Whether it belongs to what health is measured by. */
  readonly counts: (one: T) => boolean;
}

/**
 * Ready endpoints; those that drain only where no ready one is fit. Endpoints whose first check is not over are as if they were not there
 * yet, unless there is nothing better: a cluster that begins must not refuse its first requests.
 */
function toCandidates<T extends TierMember>(hosts: readonly T[]): Candidates<T> {
  const weighted = hosts.filter((host) => host.configuredWeight > 0);
  const ready = weighted.filter((host) => host.state === "ready");
  const draining = weighted.filter((host) => host.state === "draining");
  const candidates = among(ready);
  const others = among(draining);
  const isBetter = !ready.some(candidates.isFit) && draining.some(others.isFit);
  return ready.length === 0 || isBetter ? others : candidates;
}

function among<T extends TierMember>(members: readonly T[]): Candidates<T> {
  const serving = members.some(({ fitness }) => fitness === "fit") ? "fit" : "unchecked";
  return {
    members,
    isFit: ({ fitness }) => fitness === serving,
    counts: ({ fitness }) => fitness !== "unchecked" || serving === "unchecked",
  };
}

/** Best first, each with its number; none is empty. */
function toRanks<T extends TierMember>(
  members: readonly T[],
  locality: LocalityBalancing | undefined,
  place: Place,
): [number, readonly T[]][] {
  const near = locality === undefined ? new Set(preferNear(members, place)) : undefined;
  const ranks = new Map<number, T[]>();
  for (const member of members) {
    const local = locality === undefined ? Number(near?.has(member) !== true) : toLocalityRank(member, place, locality);
    const number = member.priority * LOCALITY_RANKS + local;
    const rank = ranks.get(number);
    if (rank === undefined) ranks.set(number, [member]);
    else rank.push(member);
  }
  return [...ranks].sort(([one], [other]) => one - other);
}

/** What part of the rank's share each group gets: by weight, of those that have somebody. */
function toParts<T extends TierMember>(
  groups: readonly Group<T>[],
  rank: Rank<T>,
): { group: Group<T>; endpoints: readonly T[]; part: number }[] {
  const used = groups.map((group) => group.members.filter(rank.isUsed));
  const weights = groups.map(({ weight }, at) => (used[at]?.length === 0 ? 0 : weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const size = weigh(used.flat());
  return groups.map((group, at) => {
    const endpoints = used[at] ?? [];
    // Nobody has a weight: then size decides.
    const part = total > 0 ? (weights[at] ?? 0) / total : size > 0 ? weigh(endpoints) / size : 0;
    return { group, endpoints, part };
  });
}
