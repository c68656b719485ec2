/**
 * Services: one cluster, and where its addresses are known one endpoint set, for each way in which routes use a Service port.
 */
import type { Cluster, UpstreamTls } from "@sallyport/model/cluster";
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import type { Authorities } from "@sallyport/model/secret";
import type { Resource } from "@sallyport/model/snapshot";
import { clustersOf } from "@sallyport/model/validate";
import type { EndpointSlice } from "../../kube/generated/types/endpoint-slice.ts";
import type { World, WorldObject } from "../../world/world.ts";
import type { BackendTls } from "../backend-tls.ts";
import { toProblem } from "../flaw.ts";
import { type ClusterRef, parseClusterKey, resolveServicePort, type Traffic } from "../service-port.ts";
import { Recollection } from "../recollection.ts";
import { mergeTraffic } from "../traffic/effective.ts";
import { findTrafficPolicies, type TrafficPolicies } from "../traffic/policies.ts";
import { findServiceLayers } from "../traffic/scope.ts";
import type { ClusterTraffic } from "../traffic/settings.ts";
import { toClusterSettings, toSettingsText, type TrafficVariants } from "../traffic/variant.ts";
import type { Translation } from "../translator.ts";
import { findAddresses } from "./addresses.ts";
import { type EndpointPlacing, type NodeFacts, toPlacesText } from "./endpoint-places.ts";
import { slicesOf } from "./slice-index.ts";
import { type ClusterUsers, parseProxyProtocol } from "./proxy-protocol.ts";
import type { ServiceTrust } from "../service-trust.ts";

/** What clusters depend on besides the world and the routes that use them. */
export interface ClusterTerms {
  readonly variants: TrafficVariants;
  readonly trust: ServiceTrust;
  /** Where nodes are; asked only where a policy makes something of it. */
  readonly nodes: () => NodeFacts | undefined;
}

/** The clusters of these routes, with their endpoint sets and authorities. */
export function translateClusters(
  world: World,
  routes: readonly (HttpRoute | StreamRoute)[],
  terms: ClusterTerms,
): Translation {
  const context: ClusterContext = { ...terms, world, policies: findTrafficPolicies(world) };
  const resources: Resource[] = [];
  const problems = new Map<string, Problem>();
  for (const [key, users] of recallUsers(routes)) {
    const translated = recallCluster(context, key, users);
    resources.push(...translated.resources);
    // Two ports of one Service share its annotation and so what is wrong with it.
    for (const problem of translated.problems) problems.set(JSON.stringify(problem), problem);
  }
  return { resources, statuses: [], problems: [...problems.values()] };
}

type Users = readonly (readonly [string, ClusterUsers])[];

/** Once for each list: where only endpoints change, it is the same list. */
function recallUsers(routes: readonly (HttpRoute | StreamRoute)[]): Users {
  const known = usersOf.get(routes) ?? findUsers(routes);
  usersOf.set(routes, known);
  return known;
}

const usersOf = new WeakMap<readonly (HttpRoute | StreamRoute)[], Users>();

/** Who uses which cluster, by its key, in the order of keys. */
function findUsers(routes: readonly (HttpRoute | StreamRoute)[]): [string, ClusterUsers][] {
  const users = new Map<string, ClusterUsers>();
  for (const route of routes) {
    for (const key of recallClusters(route)) {
      const known = users.get(key) ?? NO_USERS;
      const use = route.kind === "http-route" ? "http" : "stream";
      if (!known[use]) users.set(key, { ...known, [use]: true });
    }
  }
  return [...users].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

const NO_USERS: ClusterUsers = { http: false, stream: false };

/** Most routes are the ones that they were at the last change. */
function recallClusters(route: HttpRoute | StreamRoute): ReadonlySet<string> {
  const known = clusters.get(route) ?? clustersOf(route);
  clusters.set(route, known);
  return known;
}

const clusters = new WeakMap<HttpRoute | StreamRoute, ReadonlySet<string>>();

interface ClusterContext extends ClusterTerms {
  readonly world: World;
  readonly policies: TrafficPolicies;
}

/** A key that names no usable Service port gives nothing; routes hold none. */
function recallCluster(context: ClusterContext, key: string, users: ClusterUsers): TranslatedCluster {
  const { world, trust } = context;
  const ref = parseClusterKey(key);
  const service = ref && world.get("Service", ref.namespace, ref.name);
  if (ref === undefined || service === undefined) return NOTHING;
  const slices = slicesOf(world, service);
  const traffic = findTraffic(context, ref);
  // Settings are made anew with the route they are taken from, so that their words are what counts.
  const words = traffic === NO_TRAFFIC ? "" : toSettingsText(traffic);
  const balancing = traffic.locality;
  const placing: EndpointPlacing = balancing === undefined ? {} : { balancing, nodes: context.nodes() };
  const { nodes } = placing;
  const places = nodes === undefined ? [] : slices.map((slice) => toPlacesText(slice, nodes));
  const inputs = (): readonly unknown[] => [users.http, users.stream, words, trust, ...slices, ...places];
  return recollectionOf(service, key).recall(service, { world, inputs }, (reader) =>
    translateCluster(reader, { key, ref, users, slices, traffic, trust, placing }),
  );
}

const NO_TRAFFIC: ClusterTraffic = {};

/** What policies say of the Service port itself, or what they come to where its key says so. */
function findTraffic({ world, policies, variants }: ClusterContext, ref: ClusterRef): ClusterTraffic {
  if (ref.settings !== undefined) return variants.get(ref.settings) ?? NO_TRAFFIC;
  const layers = findServiceLayers(world, policies, ref, toTraffic(ref));
  return layers.length === 0 ? NO_TRAFFIC : mergeTraffic(layers).cluster;
}

type TranslatedCluster = Omit<Translation, "statuses">;

const NOTHING: TranslatedCluster = { resources: [], problems: [] };

type Clusters = Recollection<WorldObject<"Service">, TranslatedCluster>;

/** By Service and key of the cluster. */
const remembered = new WeakMap<WorldObject<"Service">, Map<string, Clusters>>();

function recollectionOf(service: WorldObject<"Service">, key: string): Clusters {
  const ofService = remembered.get(service) ?? new Map<string, Clusters>();
  remembered.set(service, ofService);
  const known: Clusters = ofService.get(key) ?? new Recollection();
  ofService.set(key, known);
  return known;
}

/** What a cluster is made from, besides what the world says of its Service. */
interface ClusterParts {
  readonly key: string;
  readonly ref: ClusterRef;
  readonly users: ClusterUsers;
  readonly slices: readonly EndpointSlice[];
  readonly traffic: ClusterTraffic;
  readonly trust: ServiceTrust;
  readonly placing: EndpointPlacing;
}

function translateCluster(world: World, parts: ClusterParts): TranslatedCluster {
  const { key, ref, users, slices, traffic, trust, placing } = parts;
  const resolved = resolveServicePort(world, ref, { traffic: toTraffic(ref), trust });
  if (!resolved.ok) return NOTHING;
  const { service, protocol } = resolved.value;
  const { addresses, findings } = findAddresses(resolved.value, slices, { trust, placing });
  const { tls, authorities } = toProtection(resolved.value.tls, ref);
  const proxy = parseProxyProtocol(service, ref, users);
  const version = users.stream && ref.transport === "tcp" ? (traffic.proxyProtocol ?? proxy.version) : undefined;
  const cluster: Cluster = {
    kind: "cluster",
    key,
    discovery: addresses.kind === "dns" ? { ...addresses, ...traffic.dns } : { kind: "endpoints" },
    protocol,
    ...(tls === undefined ? {} : { tls }),
    ...(version === undefined ? {} : { proxyProtocol: version }),
    ...toClusterSettings(traffic),
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
