/** Resources of a route: one, and more where it is carried out in several ways. */
import type { HttpRoute, RouteAttachment, StreamRoute } from "@sallyport/model/route";
import { toHostnameCut } from "./hostname-cut.ts";
import type { RouteContent } from "./route-body.ts";
import { attachmentsOf, type RouteDraft, type RouteUse, toUse, toUseKey } from "./route-draft.ts";
import type { RouteObject } from "./route-parents.ts";
import { isOwner, type StreamOwners } from "./stream-owners.ts";

/**
 * The resources of a route. Gateways may show backends different certificates, listeners may have different traffic policies, and TLS
 * may be terminated on one listener and passed on by another: where that makes a difference to its backends, each way is a resource of its own. Also a route that
 * is not accepted has one if it has rules left: they answer 500.
 */
export function toRouteResources(draft: RouteDraft, owners: StreamOwners): (HttpRoute | StreamRoute)[] {
  const ways = findWays(draft, owners);
  return ways.map(({ use, content, hosts }) => {
    const key = `${toRouteKey(draft.subject)}${ways.length > 1 ? toUseSuffix(use) : ""}`;
    const attachments = [...hosts].map(([listener, cuts]) => toAttachment(listener, cuts, content.kind));
    return assemble({ key, age: draft.subject.age, attachments }, content);
  });
}

/** `namespace/name`, with the kind in front where it is not HTTPRoute. */
function toRouteKey({ kind, namespace, name }: RouteObject): string {
  return kind === "HTTPRoute" ? `${namespace}/${name}` : `${kind}/${namespace}/${name}`;
}

/** One way in which a route is carried out, and by key of the listener the hostnames it has so, with how much they are cut. */
interface Way {
  readonly use: RouteUse;
  readonly content: RouteContent;
  readonly hosts: Map<string, Map<string, number>>;
}

function findWays(draft: RouteDraft, owners: StreamOwners): readonly Way[] {
  const { subject, parents, bodies } = draft;
  const ways = new Map<string, Way>();
  for (const parent of parents) {
    for (const { listener, hostnames } of attachmentsOf(parent)) {
      const use = toUse(draft, parent, listener);
      const content = bodies.get(toUseKey(use))?.body.content;
      const served = hostnames.filter((hostname) => isOwner(owners, subject, { listener, hostname }));
      if (!listener.served || served.length === 0 || content === undefined) continue;
      const key = bodies.size === 1 ? "" : JSON.stringify(content);
      const way = ways.get(key) ?? { use, content, hosts: new Map<string, Map<string, number>>() };
      ways.set(key, way);
      const cuts = served.map((hostname) => [hostname, toHostnameCut(subject, { listener, hostname })] as const);
      for (const { key: listenerKey } of listener.binds) {
        way.hosts.set(listenerKey, new Map([...(way.hosts.get(listenerKey) ?? []), ...cuts]));
      }
    }
  }
  return [...ways.values()];
}

/** Routes of streams are settled by their cuts already. */
function toAttachment(
  listener: string,
  cuts: ReadonlyMap<string, number>,
  kind: RouteContent["kind"],
): RouteAttachment {
  const isCut = kind === "http-route" && [...cuts.values()].some((cut) => cut > 0);
  return { listener, hostnames: [...cuts.keys()], ...(isCut ? { cuts: [...cuts.values()] } : {}) };
}

function toUseSuffix({ traffic, clientCertificate, policies }: RouteUse): string {
  const parts = [
    ...(traffic === "passthrough" ? [traffic] : []),
    ...(clientCertificate === undefined ? [] : [clientCertificate]),
    ...(policies.length === 0
      ? []
      : [`traffic=${policies.map(({ namespace, name }) => `${namespace}/${name}`).join(",")}`]),
  ];
  return parts.map((part) => `~${part}`).join("");
}

function assemble(
  { key, age, attachments }: Pick<HttpRoute, "key" | "age" | "attachments">,
  content: RouteContent,
): HttpRoute | StreamRoute {
  return content.kind === "http-route"
    ? { kind: content.kind, key, age, attachments, rules: content.rules }
    : { kind: content.kind, key, age, attachments, backends: content.backends };
}
