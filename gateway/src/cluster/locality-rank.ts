/** How near an endpoint is to a proxy: a rank, 0 for the best (Istio: localityLbSetting). */
import type { Locality, LocalityBalancing } from "@sallyport/model/traffic";
import type { Place } from "./contract.ts";

/** What an endpoint says of where it is. */
export interface Located {
  readonly locality?: Locality | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** More than there are ranks by locality. */
export const LOCALITY_RANKS = 1024;

const NONE: Locality = { region: "", zone: "", subzone: "" };
/** Keys of `priorities` that are about the place itself, where no label says otherwise. */
const PLACE_LABELS: Readonly<Record<string, "region" | "zone" | "subzone" | "node">> = {
  "topology.kubernetes.io/region": "region",
  "topology.kubernetes.io/zone": "zone",
  "topology.istio.io/subzone": "subzone",
  "kubernetes.io/hostname": "node",
};

/** The rank of an endpoint as seen from this place, below LOCALITY_RANKS. */
export function toLocalityRank(endpoint: Located, place: Place, balancing: LocalityBalancing): number {
  if (balancing.distribute.length > 0) return 0;
  if (balancing.priorities.length > 0) return rankByLabels(endpoint, place, balancing.priorities);
  const rank = rankByDistance(endpoint.locality ?? NONE, place);
  // Between its zones it is capacity that decides.
  const near = balancing.zoneAware === undefined ? rank : Math.max(0, rank - DISTANCE.region);
  const isElsewhere = rank === DISTANCE.elsewhere;
  const helper = isElsewhere ? balancing.failover.find(({ from }) => from === place.region) : undefined;
  return helper !== undefined && helper.to !== endpoint.locality?.region ? near + 1 : near;
}

/** Whether an endpoint is in the zone of this place. */
export function isSameZone(locality: Locality | undefined, place: Place): boolean {
  return rankByDistance(locality ?? NONE, place) <= DISTANCE.zone;
}

/** Whether a place is within `region/zone/subzone`; what is `*`, empty or not there stands for anything. */
export function isWithin({ region, zone, subzone }: Locality, pattern: string): boolean {
  const names = [region, zone, subzone];
  return pattern.split("/").every((part, at) => part === "*" || part === "" || part === names[at]);
}

/** How much a pattern says: the number of names in it. */
export function toPrecision(pattern: string): number {
  return pattern.split("/").filter((part) => part !== "*" && part !== "").length;
}

const DISTANCE = { subzone: 0, zone: 1, region: 2, elsewhere: 3 } as const;

/** What is not known is not near, but zones have names of their own: where only those are known they are enough. */
function rankByDistance(locality: Locality, place: Place): number {
  const isKnown = locality.region !== "" && place.region !== "";
  if (isKnown && locality.region !== place.region) return DISTANCE.elsewhere;
  if (locality.zone === "" || locality.zone !== place.zone) return isKnown ? DISTANCE.region : DISTANCE.elsewhere;
  return locality.subzone === place.subzone ? DISTANCE.subzone : DISTANCE.zone;
}

/** How many of the labels are left from the first one on that it does not share; one that neither has is shared. */
function rankByLabels(endpoint: Located, place: Place, priorities: readonly string[]): number {
  const shared = priorities.findIndex((priority) => {
    const equals = priority.indexOf("=");
    const key = equals === -1 ? priority : priority.slice(0, equals);
    const wanted = equals === -1 ? labelOfPlace(place, key) : priority.slice(equals + 1);
    return labelOfEndpoint(endpoint, key) !== wanted;
  });
  return shared === -1 ? 0 : Math.min(priorities.length - shared, LOCALITY_RANKS - 1);
}

function labelOfPlace(place: Place, key: string): string {
  const known = PLACE_LABELS[key];
  return place.labels[key] ?? (known === undefined ? "" : place[known]);
}

function labelOfEndpoint({ labels, locality }: Located, key: string): string {
  const known = PLACE_LABELS[key];
  return labels?.[key] ?? (known === undefined || known === "node" ? "" : (locality?.[known] ?? ""));
}
