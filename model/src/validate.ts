/** What must hold between the resources of a snapshot. A violation is a bug of whoever made it: the receiver refuses it. */
import type { Cluster } from "./cluster.ts";
import type { Listener } from "./listener.ts";
import type { Policy } from "./policy.ts";
import type { Problem } from "./problem.ts";
import type { HttpRoute, HttpRule, StreamRoute } from "./route.ts";
import { type Resource, type ResourceId, type Snapshot, toResourceId } from "./snapshot.ts";

/**
 * One error for each reference that leads nowhere: a listener's certificate, a route's listener, cluster or page, the endpoint
 * set of a cluster; and for each peer a listener trusts that is no address and no block of them.
 */
export function validateSnapshot(snapshot: Snapshot): readonly Problem[] {
  const problems: Problem[] = [];
  for (const resource of snapshot.resources.values()) {
    for (const id of referencesOf(resource)) if (!snapshot.resources.has(id)) problems.push(toDangling(resource, id));
    if (resource.kind === "listener") problems.push(...findBadPeers(resource));
  }
  return problems;
}

/** Ids of the resources this one names: it makes no sense without them. */
export function referencesOf(resource: Resource): readonly ResourceId[] {
  switch (resource.kind) {
    case "listener":
      return referencesOfListener(resource);
    case "http-route":
    case "stream-route":
      return referencesOfRoute(resource);
    case "cluster":
      return referencesOfCluster(resource);
    case "endpoints":
    case "secret":
    case "authorities":
    case "page":
      return [];
  }
}

function referencesOfListener({ tls }: Listener): ResourceId[] {
  const certificates = (tls?.certificates ?? []).map((key): ResourceId => `secret|${key}`);
  const authorities = (tls?.clientValidation?.authorities ?? []).map((key): ResourceId => `authorities|${key}`);
  return [...certificates, ...authorities];
}

function referencesOfRoute(route: HttpRoute | StreamRoute): ResourceId[] {
  const listeners = route.attachments.map(({ listener }): ResourceId => `listener|${listener}`);
  const clusters = [...clustersOf(route)].map((key): ResourceId => `cluster|${key}`);
  const pages = route.kind === "http-route" ? [...pagesOf(route)].map((key): ResourceId => `page|${key}`) : [];
  return [...listeners, ...clusters, ...pages];
}

function referencesOfCluster({ key, discovery, tls }: Cluster): ResourceId[] {
  const references: ResourceId[] = discovery.kind === "endpoints" ? [`endpoints|${key}`] : [];
  const { trust = "system", clientCertificate } = tls ?? {};
  if (trust !== "system") for (const authority of trust) references.push(`authorities|${authority}`);
  if (clientCertificate !== undefined) references.push(`secret|${clientCertificate}`);
  return references;
}

function toDangling(from: Resource, to: ResourceId): Problem {
  return {
    code: "unresolved-reference",
    severity: "error",
    message: `the resource ${toResourceId(from)} refers to ${to}, which the snapshot does not hold`,
  };
}

function findBadPeers({ key, proxyProtocol }: Listener): Problem[] {
  const bad = (proxyProtocol?.trusted ?? []).filter((peer) => !isBlock(peer));
  return bad.map((peer) => ({
    code: "invalid-value",
    severity: "error",
    message: `the listener ${key} trusts PROXY headers of ${JSON.stringify(peer)}, which is no address and no CIDR block`,
    hint: "write it as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32",
  }));
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
/** All that IPv6 addresses are made of; whoever uses the block reads it in full. */
const IPV6 = /^(?=.*:)[0-9a-f:.]{2,45}$/i;

function isBlock(text: string): boolean {
  const [address = "", prefix = "0", ...rest] = text.split("/");
  const longest = IPV4.test(address) ? 32 : IPV6.test(address) ? 128 : -1;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest;
}

/** Keys of the clusters a route sends traffic or copies of it to. */
export function clustersOf(route: HttpRoute | StreamRoute): ReadonlySet<string> {
  if (route.kind === "http-route") return new Set(route.rules.flatMap(clustersOfRule));
  return new Set(route.backends.flatMap((backend) => (backend.kind === "cluster" ? [backend.cluster] : [])));
}

/** Keys of the pages that a route answers with. */
export function pagesOf({ rules }: HttpRoute): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const policy of rules.flatMap(policiesOfRule)) {
    if (policy.kind !== "response-override") continue;
    for (const { page } of policy.overrides) if (page !== undefined) keys.add(page);
  }
  return keys;
}

function clustersOfRule(rule: HttpRule): string[] {
  const keys: string[] = [];
  for (const backend of rule.backends) if (backend.kind === "cluster") keys.push(backend.cluster);
  for (const policy of policiesOfRule(rule)) if (policy.kind === "mirror") keys.push(policy.cluster);
  return keys;
}

/** Those of its backends among them. */
function policiesOfRule({ policies, backends }: HttpRule): readonly Policy[] {
  const ofBackends = backends.flatMap((backend) => (backend.kind === "cluster" ? backend.policies : []));
  return ofBackends.length === 0 ? policies : [...policies, ...ofBackends];
}
