/**
 * Where the endpoints of a Service port are. Addresses come from, in this order: the annotation `sallyport.io/endpoints`,
 * externalName, EndpointSlices.
 */
import type { Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { EndpointSlice } from "../../kube/generated/types/endpoint-slice.ts";
import type { Finding } from "../flaw.ts";
import type { ResolvedServicePort } from "../service-port.ts";
import { toSliceEndpoints } from "./endpoint-slices.ts";
import {
  ENDPOINTS_ANNOTATION,
  parseStaticEndpoints,
  type StaticEndpoint,
  toStaticEndpoint,
} from "./static-endpoints.ts";

/** What is known of where a cluster's endpoints are. */
export interface Located {
  readonly addresses:
    | Extract<Cluster["discovery"], { kind: "dns" }>
    | { readonly kind: "endpoints"; readonly endpoints: readonly Endpoint[] };
  readonly findings: readonly Finding[];
}

/** Finds the addresses of a Service port; `slices` are those of its Service. */
export function findAddresses({ service, port }: ResolvedServicePort, slices: readonly EndpointSlice[]): Located {
  const annotation = service.object.metadata.annotations?.[ENDPOINTS_ANNOTATION];
  if (annotation !== undefined) {
    const { endpoints, findings } = parseStaticEndpoints(annotation, port);
    return { addresses: toAddresses(endpoints), findings };
  }
  const { spec } = service.object;
  if (spec.type === "ExternalName") {
    return locateExternalName(spec.externalName ?? "", port.port);
  }
  const { endpoints, findings } = toSliceEndpoints(service, port, slices);
  return { addresses: { kind: "endpoints", endpoints }, findings };
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
