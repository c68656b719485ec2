/** What must hold between the resources of a snapshot. A violation is a bug of whoever made it: the receiver refuses it. */
import type { Problem } from "./problem.ts";
import type { HttpRoute, HttpRule, StreamRoute } from "./route.ts";
import { type Resource, type ResourceId, resourcesOf, type Snapshot, toResourceId } from "./snapshot.ts";

/**
 * One error for each reference that leads nowhere: a listener's certificate, a route's listener or cluster, the endpoint
 * set of a cluster.
 */
export function validateSnapshot(snapshot: Snapshot): readonly Problem[] {
  const problems: Problem[] = [];
  const requires = (from: Resource, to: ResourceId): void => {
    if (snapshot.resources.has(to)) return;
    problems.push({
      code: "unresolved-reference",
      severity: "error",
      message: `the resource ${toResourceId(from)} refers to ${to}, which the snapshot does not hold`,
    });
  };
  for (const listener of resourcesOf(snapshot, "listener")) {
    for (const key of listener.tls?.certificates ?? []) requires(listener, `secret|${key}`);
    for (const key of listener.tls?.clientValidation?.authorities ?? []) requires(listener, `authorities|${key}`);
  }
  for (const route of [...resourcesOf(snapshot, "http-route"), ...resourcesOf(snapshot, "stream-route")]) {
    for (const attachment of route.attachments) requires(route, `listener|${attachment.listener}`);
    for (const key of clustersOf(route)) requires(route, `cluster|${key}`);
  }
  for (const cluster of resourcesOf(snapshot, "cluster")) {
    if (cluster.discovery.kind === "endpoints") requires(cluster, `endpoints|${cluster.key}`);
    const { trust = "system", clientCertificate } = cluster.tls ?? {};
    if (trust !== "system") for (const key of trust) requires(cluster, `authorities|${key}`);
    if (clientCertificate !== undefined) requires(cluster, `secret|${clientCertificate}`);
  }
  return problems;
}

/** Keys of the clusters a route sends traffic or copies of it to. */
export function clustersOf(route: HttpRoute | StreamRoute): ReadonlySet<string> {
  if (route.kind === "http-route") return new Set(route.rules.flatMap(clustersOfRule));
  return new Set(route.backends.flatMap((backend) => (backend.kind === "cluster" ? [backend.cluster] : [])));
}

function clustersOfRule(rule: HttpRule): string[] {
  const keys: string[] = [];
  const policies = [...rule.policies];
  for (const backend of rule.backends) {
    if (backend.kind !== "cluster") continue;
    keys.push(backend.cluster);
    policies.push(...backend.policies);
  }
  for (const policy of policies) if (policy.kind === "mirror") keys.push(policy.cluster);
  return keys;
}
