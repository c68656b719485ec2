/**
 * Where the endpoints of a Service port are. Addresses come from, in this order: the annotation `sallyport.io/endpoints`,
 * externalName, EndpointSlices. Whether the first two count at all was asked before.
 */
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import { findSpecialUse } from "@sallyport/model/special-use";
import type { EndpointSlice } from "../../kube/generated/types/endpoint-slice.ts";
import type { Finding } from "../flaw.ts";
import type { ResolvedServicePort } from "../service-port.ts";
import { ENDPOINTS_ANNOTATION, type ServiceTrust } from "../service-trust.ts";
import type { EndpointPlacing } from "./endpoint-places.ts";
import { toSliceEndpoints } from "./endpoint-slices.ts";
import { parseStaticEndpoints, type StaticEndpoint, toStaticEndpoint } from "./static-endpoints.ts";

/** What is known of where a cluster's endpoints are. */
export interface Located {
  readonly addresses:
    | Extract<Cluster["discovery"], { kind: "dns" }>
    | { readonly kind: "endpoints"; readonly endpoints: readonly Endpoint[] };
  readonly findings: readonly Finding[];
}

/** Finds the addresses of a Service port; `slices` are those of its Service. */
export function findAddresses(
  { service, port }: ResolvedServicePort,
  slices: readonly EndpointSlice[],
  { trust, placing }: { readonly trust: ServiceTrust; readonly placing: EndpointPlacing },
): Located {
  const annotation = service.object.metadata.annotations?.[ENDPOINTS_ANNOTATION];
  if (annotation !== undefined) {
    const { endpoints, findings } = parseStaticEndpoints(annotation, port);
    const path = `metadata.annotations["${ENDPOINTS_ANNOTATION}"]`;
    return restrict({ addresses: toAddresses(endpoints), findings }, path, trust);
  }
  const { spec } = service.object;
  if (spec.type === "ExternalName") {
    return restrict(locateExternalName(spec.externalName ?? "", port.port), "spec.externalName", trust);
  }
  const { endpoints, findings } = toSliceEndpoints({ service, port }, slices, placing);
  return restrict({ addresses: { kind: "endpoints", endpoints }, findings }, "spec.ports", trust);
}

/** An address is none of Kubernetes' external names, but people write it. The Service's targetPort means nothing here. */
function locateExternalName(host: string, port: number): Located {
  const endpoint = toStaticEndpoint(host, port);
  if (typeof endpoint !== "string") return { addresses: toAddresses([endpoint]), findings: [] };
  const finding: Finding = { code: "invalid-value", path: "spec.externalName", message: endpoint };
  return { addresses: toAddresses([]), findings: [finding] };
}

/** Addresses alone are endpoints; with a name among them all are left to DNS, which passes addresses through. */
function toAddresses(entries: readonly StaticEndpoint[]): Located["addresses"] {
  if (entries.some((entry) => entry.kind === "name")) {
    return { kind: "dns", names: entries.map(({ host, port }) => ({ hostname: host, port })) };
  }
  const endpoints = entries.map(({ host, port }): Endpoint => ({ address: host, port, weight: 1, state: "ready" }));
  return { kind: "endpoints", endpoints };
}

/**
 * Leaves out what is not to be connected to. The API server takes no EndpointSlice with most of these addresses, but some all the same (IPv6
 * that is IPv4 to a translator, multicast). What names resolve to is for the proxy to judge, each time anew.
 */
function restrict(located: Located, path: string, { addresses: trusted }: ServiceTrust): Located {
  if (trusted === "any") return located;
  const { addresses } = located;
  const refused = new Set<string>();
  const isKept = (host: string): boolean => {
    const use = findSpecialUse(host);
    if (use === undefined || use === "malformed") return true;
    refused.add(`${host} (${use})`);
    return false;
  };
  const kept: Located["addresses"] =
    addresses.kind === "dns"
      ? { ...addresses, names: addresses.names.filter(({ hostname }) => isKept(hostname)), addresses: "routable" }
      : { ...addresses, endpoints: addresses.endpoints.filter(({ address }) => isKept(address)) };
  return { addresses: kept, findings: [...located.findings, ...tellRefused([...refused], path)] };
}

function tellRefused(refused: readonly string[], path: string): readonly Finding[] {
  if (refused.length === 0) return [];
  const [named, rest] = [refused.slice(0, MOST_NAMED).join(", "), refused.length - MOST_NAMED];
  const all = rest > 0 ? `${named} and ${rest} more` : named;
  const message = `in a cluster no backend is at an address of special use: ${all} is left out`;
  return [{ code: "invalid-value", path, message }];
}

/** Addresses in one message. */
const MOST_NAMED = 4;
