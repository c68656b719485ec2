/** Clusters of a Service port that differ from its own one in what policies say, and a cluster with what they say. */
import { type Cluster, DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import { digest } from "../digest.ts";
import type { ClusterTraffic } from "./settings.ts";

/** Settings of clusters by the text that stands for them in keys of clusters. */
export type TrafficVariants = ReadonlyMap<string, ClusterTraffic>;

/** Settings that are not those of the port itself. */
export interface ClusterVariant {
  /** Stands for the settings in the key of the cluster. */
  readonly name: string;
  readonly settings: ClusterTraffic;
}

/**
 * The variant of a cluster for HTTP; undefined where settings are those of the port itself. Equal settings share a cluster, whichever
 * policies they are of: its connections, its counts, what it knows of the health of endpoints.
 */
export function toVariant(settings: ClusterTraffic, own: ClusterTraffic): ClusterVariant | undefined {
  if (settings === own) return undefined;
  const told = recallTold(settings);
  return told.text === recallTold(own).text ? undefined : (told.variant ??= tell(told));
}

/** Settings in words. */
interface Told {
  readonly settings: ClusterTraffic;
  readonly text: string;
  variant?: ClusterVariant;
}

function tell({ settings, text }: Told): ClusterVariant {
  return { name: digest(text).slice(0, VARIANT_LENGTH), settings };
}

const toldOf = new WeakMap<ClusterTraffic, Told>();

/** Only connections that pass bytes on have a PROXY header, and those go by the port's own cluster. */
function recallTold(traffic: ClusterTraffic): Told {
  const known = toldOf.get(traffic);
  if (known !== undefined) return known;
  const { proxyProtocol: _, ...settings } = traffic;
  const told = { settings, text: toCanonicalText(settings) };
  toldOf.set(traffic, told);
  return told;
}

/** Long enough that no two settings of one Service will ever have the same, short enough for metrics and logs. */
const VARIANT_LENGTH = 12;

/** Settings as text: equal where they are, whatever object they are. */
export function toSettingsText(settings: ClusterTraffic): string {
  const text = textOf.get(settings) ?? toCanonicalText(settings);
  textOf.set(settings, text);
  return text;
}

const textOf = new WeakMap<ClusterTraffic, string>();

/** JSON with the fields of every object in one order. */
function toCanonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** The part of a cluster that policies may say something of, its PROXY header and discovery aside. */
export function toClusterSettings(
  traffic: ClusterTraffic,
): Omit<Cluster, "kind" | "key" | "discovery" | "protocol" | "tls" | "proxyProtocol"> {
  const { http2, locality, outlierDetection, healthCheck, panicThreshold, retryBudget } = traffic;
  return {
    ...(http2 === undefined ? {} : { http2 }),
    balancer: traffic.balancer ?? DEFAULT_CLUSTER.balancer,
    ...(locality === undefined ? {} : { locality }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    ...(panicThreshold === undefined ? {} : { panicThreshold }),
    connectTimeout: traffic.connectTimeout ?? DEFAULT_CLUSTER.connectTimeout,
    limits: { ...DEFAULT_CLUSTER.limits, ...traffic.limits },
    ...(retryBudget === undefined ? {} : { retryBudget }),
    pool: { ...DEFAULT_CLUSTER.pool, ...traffic.pool },
  };
}
