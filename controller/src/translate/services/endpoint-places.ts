/**
 * Where endpoints are. EndpointSlices name a node and a zone; the region and what is smaller than a zone are labels of the node. Only clusters
 * whose policies ask for places are told more than the zone: in a large cluster this is said of every endpoint.
 */
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Locality, LocalityBalancing } from "@sallyport/model/traffic";
import type { EndpointSlice, EndpointSliceEndpoint } from "../../kube/generated/types/endpoint-slice.ts";

/** Where nodes are: another object as soon as one of them is elsewhere. */
export interface NodeFacts {
  /** Of a node by its name, "" for what it does not say; undefined: it is not known, or says nothing. */
  localityOf(node: string): Locality | undefined;
}

/** What a cluster is told of where its endpoints are. */
export interface EndpointPlacing {
  /** Absent where nobody knows nodes: in a directory of files. */
  readonly nodes?: NodeFacts | undefined;
  /** What policies make of places; absent: nothing. */
  readonly balancing?: LocalityBalancing | undefined;
}

/** The label of endpoints and proxies that names their node. */
const HOSTNAME = "kubernetes.io/hostname";

/** What priorities can name: of the proxy and of endpoints these are known, and no labels of pods. */
const KNOWN_LABELS: ReadonlySet<string> = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
  HOSTNAME,
]);

/** Those of the priorities (`key` or `key=value`) whose label nobody knows. */
export function findUnknownLabels(priorities: readonly string[]): readonly string[] {
  return priorities.filter((priority) => !KNOWN_LABELS.has(toKey(priority)));
}

/** All labels that priorities can name, for people. */
export function tellKnownLabels(): string {
  return [...KNOWN_LABELS].join(", ");
}

/** Where an endpoint is. */
export function placeEndpoint(
  endpoint: EndpointSliceEndpoint,
  placing: EndpointPlacing,
): Pick<Endpoint, "locality" | "labels"> {
  const locality = toLocality(endpoint, placing);
  const { nodeName } = endpoint;
  const asksForNode = placing.balancing?.priorities.some((priority) => toKey(priority) === HOSTNAME) === true;
  return {
    ...(locality === undefined ? {} : { locality }),
    ...(asksForNode && nodeName !== undefined ? { labels: { [HOSTNAME]: nodeName } } : {}),
  };
}

/** Who makes the slices writes their zones: of one that is not the node's, the node's region is not the endpoint's either. */
function toLocality(
  { zone, nodeName }: EndpointSliceEndpoint,
  { nodes, balancing }: EndpointPlacing,
): Locality | undefined {
  const ofNode = nodeName === undefined || balancing === undefined ? undefined : nodes?.localityOf(nodeName);
  if (ofNode !== undefined && (zone ?? ofNode.zone) === ofNode.zone) return ofNode;
  return zone === undefined ? undefined : { region: "", zone, subzone: "" };
}

/** Stands for where the nodes of a slice are: the same text as long as they are there. */
export function toPlacesText(slice: EndpointSlice, nodes: NodeFacts): string {
  const known = texts.get(slice);
  if (known?.nodes === nodes) return known.text;
  const names = (slice.endpoints ?? []).flatMap(({ nodeName }) => nodeName ?? []);
  const text = JSON.stringify(names.map((name) => nodes.localityOf(name)));
  texts.set(slice, { nodes, text });
  return text;
}

const texts = new WeakMap<EndpointSlice, { readonly nodes: NodeFacts; readonly text: string }>();

function toKey(priority: string): string {
  const equals = priority.indexOf("=");
  return equals === -1 ? priority : priority.slice(0, equals);
}
