/** EndpointSlices: the endpoints of one Service port, merged from all slices of the Service. */
import type { Endpoint } from "@sallyport/model/endpoint";
import type {
  EndpointSlice,
  EndpointSliceEndpoint,
  EndpointSlicePort,
} from "../../kube/generated/types/endpoint-slice.ts";
import type { ServicePort } from "../../kube/generated/types/service.ts";
import type { WorldObject } from "../../world/world.ts";
import type { Finding } from "../flaw.ts";
import { type EndpointPlacing, placeEndpoint } from "./endpoint-places.ts";

/** The endpoints of a Service port by the slices of the Service: without repetitions, sorted, so that moving between slices changes nothing. */
export function toSliceEndpoints(
  { service, port }: { readonly service: WorldObject<"Service">; readonly port: ServicePort },
  slices: readonly EndpointSlice[],
  placing: EndpointPlacing,
): { readonly endpoints: readonly Endpoint[]; readonly findings: readonly Finding[] } {
  const findings = slices.filter((slice) => slice.addressType === "FQDN").map(toFqdnFinding);
  const families = preferFamily(service, slices);
  const found = new Map<string, Endpoint>();
  for (const slice of families) {
    // A port is found by its name; the number is the slice's own (a named targetPort differs from pod to pod).
    const target = slice.ports?.find(
      (candidate) => candidate.name === (port.name ?? "") && candidate.protocol === port.protocol,
    );
    for (const endpoint of slice.endpoints ?? []) addEndpoint(found, service, { endpoint, target, placing });
  }
  const endpoints = [...found.entries()].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return { endpoints: endpoints.map(([, endpoint]) => endpoint), findings };
}

interface Candidate {
  readonly endpoint: EndpointSliceEndpoint;
  readonly target: EndpointSlicePort | undefined;
  readonly placing: EndpointPlacing;
}

function addEndpoint(
  found: Map<string, Endpoint>,
  service: WorldObject<"Service">,
  { endpoint, target, placing }: Candidate,
): void {
  const state = toState(endpoint, service.object.spec.publishNotReadyAddresses ?? false);
  const [address] = endpoint.addresses;
  if (state === undefined || address === undefined || target?.port === undefined) return;
  const id = `${address} ${target.port}`;
  // In two slices at once (a pod moves between them) the one that says ready is the newer.
  if (found.get(id)?.state === "ready") return;
  const place = placeEndpoint(endpoint, placing);
  found.set(id, { address, port: target.port, weight: 1, state, ...place, ...toHints(endpoint, service) });
}

/**
 * Whose requests the endpoint is meant for. The cluster writes hints where the Service has a trafficDistribution (KEP-4444). Of
 * internalTrafficPolicy Local (KEP-2086) the endpoint's node is made a hint: a Gateway does not choose its nodes by its
 * Services, so where a node has no endpoint others serve.
 */
function toHints(
  { hints, nodeName }: EndpointSliceEndpoint,
  { object: { spec } }: WorldObject<"Service">,
): Pick<Endpoint, "forZones" | "forNodes"> {
  const isLocal = spec.internalTrafficPolicy === "Local" && nodeName !== undefined;
  const forZones = (hints?.forZones ?? []).map(({ name }) => name).toSorted();
  const forNodes = isLocal ? [nodeName] : (hints?.forNodes ?? []).map(({ name }) => name).toSorted();
  return { ...(forZones.length > 0 ? { forZones } : {}), ...(forNodes.length > 0 ? { forNodes } : {}) };
}

/**
 * discovery.k8s.io/v1 EndpointConditions: unknown readiness counts as ready, unknown serving as readiness. A terminating
 * endpoint that still serves takes what no ready one is left to take.
 */
function toState({ conditions = {} }: EndpointSliceEndpoint, publishNotReady: boolean): Endpoint["state"] | undefined {
  const ready = conditions.ready ?? true;
  if (ready || publishNotReady) return "ready";
  return (conditions.serving ?? ready) && conditions.terminating === true ? "draining" : undefined;
}

/**
 * A dual-stack Service has every pod in a slice of each family. Taking both would count pods twice and use a family the
 * network may not route; Kubernetes' own choice is the first of spec.ipFamilies. The other one serves where that is empty.
 */
function preferFamily(service: WorldObject<"Service">, slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
  const usable = slices.filter((slice) => slice.addressType !== "FQDN");
  const [primary, secondary] = service.object.spec.ipFamilies ?? [];
  if (primary === undefined || secondary === undefined) return usable;
  const preferred = usable.filter((slice) => slice.addressType === primary);
  return preferred.some((slice) => (slice.endpoints ?? []).length > 0) ? preferred : usable;
}

function toFqdnFinding(slice: EndpointSlice): Finding {
  return {
    code: "unsupported-value",
    path: "spec.ports",
    message: `the EndpointSlice ${slice.metadata.name} has the addressType FQDN and is left out`,
    hint: "use a Service of type ExternalName",
  };
}
