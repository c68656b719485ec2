/**
 * Services: one cluster, and where its addresses are known one endpoint set, for each Service port that routes use.
 * Addresses come from, in this order: the annotation `sallyport.io/endpoints`, externalName, EndpointSlices.
 */
import { type Cluster, DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { Problem } from "@sallyport/model/problem";
import type { Resource } from "@sallyport/model/snapshot";
import type { ServicePort } from "../../kube/generated/types/service.ts";
import type { World } from "../../world/world.ts";
import { type Finding, toProblem } from "../flaw.ts";
import { parseClusterKey, type ResolvedServicePort, resolveServicePort } from "../service-port.ts";
import type { Translation } from "../translator.ts";
import { toSliceEndpoints } from "./endpoint-slices.ts";
import {
  ENDPOINTS_ANNOTATION,
  parseStaticEndpoints,
  type StaticEndpoint,
  toStaticEndpoint,
} from "./static-endpoints.ts";

/** The clusters and endpoint sets of these cluster keys; keys that name no usable Service port give nothing. */
export function translateClusters(world: World, keys: Iterable<string>): Translation {
  const resources: Resource[] = [];
  const problems = new Map<string, Problem>();
  for (const key of [...new Set(keys)].toSorted()) {
    const translated = translateCluster(world, key);
    resources.push(...translated.resources);
    // Two ports of one Service share its annotation and so what is wrong with it.
    for (const problem of translated.problems) problems.set(JSON.stringify(problem), problem);
  }
  return { resources, statuses: [], problems: [...problems.values()] };
}

function translateCluster(world: World, key: string): Omit<Translation, "statuses"> {
  const ref = parseClusterKey(key);
  const resolved = ref === undefined ? undefined : resolveServicePort(world, ref);
  if (resolved === undefined || !resolved.ok) return { resources: [], problems: [] };
  const { addresses, findings } = findAddresses(world, resolved.value);
  const { service, port, protocol } = resolved.value;
  const cluster: Cluster = {
    kind: "cluster",
    key,
    discovery: addresses.kind === "dns" ? addresses : { kind: "endpoints" },
    protocol,
    balancer: DEFAULT_CLUSTER.balancer,
    connectTimeout: DEFAULT_CLUSTER.connectTimeout,
    limits: DEFAULT_CLUSTER.limits,
    pool: DEFAULT_CLUSTER.pool,
  };
  const endpoints: Resource[] =
    addresses.kind === "dns" ? [] : [{ kind: "endpoints", key, endpoints: [...addresses.endpoints] }];
  const all = protocol === "h2c" ? [...findings, toH2cRemark(port)] : findings;
  return { resources: [cluster, ...endpoints], problems: all.map((finding) => toProblem(service, finding)) };
}

/** The proxy does not speak HTTP/2 to backends yet and refuses such clusters. */
function toH2cRemark({ port, appProtocol = "" }: ServicePort): Finding {
  const message = `port ${port} has the appProtocol ${appProtocol}, which cannot be spoken yet: its requests are answered with 500`;
  return { code: "unsupported-value", path: "spec.ports", message };
}

/** What is known of where a cluster's endpoints are. */
interface Located {
  readonly addresses:
    | Extract<Cluster["discovery"], { kind: "dns" }>
    | { readonly kind: "endpoints"; readonly endpoints: readonly Endpoint[] };
  readonly findings: readonly Finding[];
}

function findAddresses(world: World, { service, port }: ResolvedServicePort): Located {
  const annotation = service.object.metadata.annotations?.[ENDPOINTS_ANNOTATION];
  if (annotation !== undefined) {
    const { endpoints, findings } = parseStaticEndpoints(annotation, port);
    return { addresses: toAddresses(endpoints), findings };
  }
  const { spec } = service.object;
  if (spec.type === "ExternalName") {
    return locateExternalName(spec.externalName ?? "", port.port);
  }
  const { endpoints, findings } = toSliceEndpoints(world, service, port);
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
