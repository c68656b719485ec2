/**
 * Services: one cluster, and where its addresses are known one endpoint set, for each way in which routes use a Service port.
 */
import { type Cluster, DEFAULT_CLUSTER, type UpstreamTls } from "@sallyport/model/cluster";
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import type { Authorities } from "@sallyport/model/secret";
import type { Resource } from "@sallyport/model/snapshot";
import { clustersOf } from "@sallyport/model/validate";
import type { World } from "../../world/world.ts";
import type { BackendTls } from "../backend-tls.ts";
import { toProblem } from "../flaw.ts";
import { type ClusterRef, parseClusterKey, resolveServicePort, type Traffic } from "../service-port.ts";
import type { Translation } from "../translator.ts";
import { findAddresses } from "./addresses.ts";
import { type ClusterUsers, parseProxyProtocol } from "./proxy-protocol.ts";

/** The clusters of these routes, with their endpoint sets and authorities. */
export function translateClusters(world: World, routes: Iterable<HttpRoute | StreamRoute>): Translation {
  const resources: Resource[] = [];
  const problems = new Map<string, Problem>();
  for (const [key, users] of findUsers(routes)) {
    const translated = translateCluster(world, key, users);
    resources.push(...translated.resources);
    // Two ports of one Service share its annotation and so what is wrong with it.
    for (const problem of translated.problems) problems.set(JSON.stringify(problem), problem);
  }
  return { resources, statuses: [], problems: [...problems.values()] };
}

/** Who uses which cluster, by its key, in the order of keys. */
function findUsers(routes: Iterable<HttpRoute | StreamRoute>): [string, ClusterUsers][] {
  const users = new Map<string, ClusterUsers>();
  for (const route of routes) {
    for (const key of recallClusters(route)) {
      const { http, stream } = users.get(key) ?? { http: false, stream: false };
      users.set(key, { http: http || route.kind === "http-route", stream: stream || route.kind === "stream-route" });
    }
  }
  return [...users].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** Most routes are the ones that they were at the last change. */
function recallClusters(route: HttpRoute | StreamRoute): ReadonlySet<string> {
  const known = clusters.get(route) ?? clustersOf(route);
  clusters.set(route, known);
  return known;
}

const clusters = new WeakMap<HttpRoute | StreamRoute, ReadonlySet<string>>();

/** A key that names no usable Service port gives nothing; routes hold none. */
function translateCluster(world: World, key: string, users: ClusterUsers): Omit<Translation, "statuses"> {
  const ref = parseClusterKey(key);
  const resolved = ref === undefined ? undefined : resolveServicePort(world, ref, toTraffic(ref));
  if (ref === undefined || resolved === undefined || !resolved.ok) return { resources: [], problems: [] };
  const { service, protocol } = resolved.value;
  const { addresses, findings } = findAddresses(world, resolved.value);
  const { tls, authorities } = toProtection(resolved.value.tls, ref);
  const proxy = parseProxyProtocol(service, ref, users);
  const cluster: Cluster = {
    kind: "cluster",
    key,
    discovery: addresses.kind === "dns" ? addresses : { kind: "endpoints" },
    protocol,
    ...(tls === undefined ? {} : { tls }),
    ...(proxy.version === undefined ? {} : { proxyProtocol: proxy.version }),
    balancer: DEFAULT_CLUSTER.balancer,
    connectTimeout: DEFAULT_CLUSTER.connectTimeout,
    limits: DEFAULT_CLUSTER.limits,
    pool: DEFAULT_CLUSTER.pool,
  };
  const endpoints: Resource[] =
    addresses.kind === "dns" ? [] : [{ kind: "endpoints", key, endpoints: [...addresses.endpoints] }];
  return {
    resources: [cluster, ...endpoints, ...authorities],
    problems: [...findings, ...proxy.findings].map((finding) => toProblem(service, finding)),
  };
}

/** The TLS of a cluster and whom it trusts; the certificate it shows is a resource of whoever owns that. */
function toProtection(
  backendTls: BackendTls | undefined,
  { clientCertificate }: ClusterRef,
): { readonly tls?: UpstreamTls; readonly authorities: readonly Authorities[] } {
  if (backendTls === undefined) return { authorities: [] };
  const { tls, authorities } = backendTls;
  return { tls: clientCertificate === undefined ? tls : { ...tls, clientCertificate }, authorities };
}

/** How a cluster of this key is spoken to, without asking what HTTP could do with it: routes were asked before. */
function toTraffic({ transport, variant }: ClusterRef): Traffic {
  return transport === "udp" ? "datagram" : (variant ?? "stream");
}
