/**
 * Where endpoints are. EndpointSlices name a node and a zone; the region and what is smaller than a zone are labels of the node. Only clusters
 * whose policies ask for places are told more than the zone: in a large cluster this is said of every endpoint.
 */
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Locality, LocalityBalancing } from "@sallyport/model/traffic";
import type { EndpointSlice, EndpointSliceEndpoint } from "../../kube/generated/types/endpoint-slice.ts";
import { HOSTNAME, toLabelKey } from "../traffic/place-labels.ts";

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

/** Where an endpoint is. */
export function placeEndpoint(
  endpoint: EndpointSliceEndpoint,
  placing: EndpointPlacing,
): Pick<Endpoint, "locality" | "labels"> {
  const locality = toLocality(endpoint, placing);
  const { nodeName } = endpoint;
  const asksForNode = placing.balancing?.priorities.some((priority) => toLabelKey(priority) === HOSTNAME) === true;
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
