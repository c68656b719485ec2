/** A route of any kind by itself: where it hangs, and what it does there for each way of speaking to its backends. */
import type { Finding, Flaw } from "../flaw.ts";
import { tellPolicy } from "../policy/attachment.ts";
import { type BackendUse, BROKEN_CERTIFICATE, type Traffic } from "../service-port.ts";
import { toLayers } from "../traffic/policies.ts";
import { TrafficScope } from "../traffic/scope.ts";
import type { Attachment } from "./attach.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
import { findListenerPolicies } from "./listener-targets.ts";
import { translateGrpcRoute } from "./grpc-route.ts";
import { translateHttpRoute } from "./http-route.ts";
import type { RouteBody } from "./route-body.ts";
import type { RouteContext } from "./route-context.ts";
import {
  followParents,
  type Parent,
  type RouteEnvironment,
  type RouteObject,
  toAttachingRoute,
} from "./route-parents.ts";
import { findRouteLayers, type ListenerPolicies } from "./route-policies.ts";
import { translateStreamRoute } from "./stream-route.ts";

/** How a route is carried out where it hangs on a listener. */
export interface RouteUse extends BackendUse {
  readonly policies: ListenerPolicies;
}

/** A body, and the use it was translated for. */
export interface UsedBody {
  readonly use: RouteUse;
  readonly body: RouteBody;
}

/** One route, judged by itself. */
export interface RouteDraft {
  readonly subject: RouteObject;
  /** Its parents that are ours. */
  readonly parents: readonly Parent[];
  /** What is to say of its other parents, and of hostnames it does not get. */
  readonly findings: readonly Finding[];
  /** By use, as `toUseKey` writes it. At least one where it has parents. */
  readonly bodies: ReadonlyMap<string, UsedBody>;
  /** Traffic policies of the listeners it hangs on, where there are any. */
  readonly listenerPolicies: ReadonlyMap<ListenerPlan, ListenerPolicies>;
}

/** Judges one route. Of one that no parentRef makes ours, nothing is translated. */
export function draftRoute(environment: RouteEnvironment, subject: RouteObject): RouteDraft {
  const { parents, findings } = followParents(environment, subject);
  const listenerPolicies = findPolicies(environment, subject, parents);
  const bodies = new Map<string, UsedBody>();
  for (const use of parents.flatMap((parent) => usesOf({ subject, listenerPolicies }, parent))) {
    const key = toUseKey(use);
    if (!bodies.has(key)) bodies.set(key, { use, body: translateBody(toContext(environment, subject, use), subject) });
  }
  return { subject, parents, findings, bodies, listenerPolicies };
}

function toContext({ world, policies, options }: RouteEnvironment, subject: RouteObject, use: RouteUse): RouteContext {
  const { traffic, clientCertificate } = use;
  return {
    world,
    route: toAttachingRoute(subject),
    name: subject.name,
    traffic,
    trust: options.trust,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    scope: new TrafficScope(policies),
    layers: { above: findRouteLayers(policies, subject), below: toLayers(use.policies) },
  };
}

/** Connections and datagrams have no rules that policies of listeners could say something of. */
function findPolicies(
  { policies }: RouteEnvironment,
  { kind }: RouteObject,
  parents: readonly Parent[],
): ReadonlyMap<ListenerPlan, ListenerPolicies> {
  if (policies.own.size === 0 || (kind !== "HTTPRoute" && kind !== "GRPCRoute")) return NO_POLICIES;
  const found = new Map<ListenerPlan, ListenerPolicies>();
  for (const parent of parents) {
    for (const { listener } of attachmentsOf(parent)) {
      const own = findListenerPolicies(policies.own, parent.gateway, listener);
      if (own.length > 0) found.set(listener, own);
    }
  }
  return found.size === 0 ? NO_POLICIES : found;
}

const NO_POLICIES: ReadonlyMap<ListenerPlan, ListenerPolicies> = new Map();

/** Whether its rules make a route. */
export function isSound({ bodies }: RouteDraft): boolean {
  return [...bodies.values()].every(({ body }) => body.accepted);
}

/** The bodies of a route under one of its parents: one but where its listeners make a difference. */
export function bodiesOf(draft: RouteDraft, parent: Parent): readonly RouteBody[] {
  const keys = new Set(usesOf(draft, parent).map(toUseKey));
  const found = [...keys].flatMap((key) => draft.bodies.get(key)?.body ?? []);
  if (found.length > 0) return found;
  // One that lost its listeners to another route was translated for them: what is wrong with it is the same.
  const lost = [...draft.bodies.values()].find(({ use }) => keys.has(toUseKey({ ...use, policies: [] })));
  return lost === undefined ? [] : [lost.body];
}

/** Where a parentRef leads; nowhere where it is refused. */
export function attachmentsOf({ result }: Parent): readonly Attachment[] {
  return result.kind === "attached" ? result.attachments : [];
}

/** How a route's backends are spoken to where it hangs on this listener. */
export function toUse(
  { subject, listenerPolicies }: Pick<RouteDraft, "subject" | "listenerPolicies">,
  { gateway }: Parent,
  listener?: ListenerPlan,
): RouteUse {
  const traffic = toTraffic(subject, listener);
  const policies = (listener && listenerPolicies.get(listener)) ?? [];
  const { backendCertificate } = gateway;
  // Where no TLS is ours to add there is nobody to show a certificate to.
  if (backendCertificate === undefined || traffic === "passthrough" || traffic === "datagram")
    return { traffic, policies };
  const clientCertificate = backendCertificate === "broken" ? BROKEN_CERTIFICATE : backendCertificate.key;
  return { traffic, clientCertificate, policies };
}

/** Uses are equal where this text is. */
export function toUseKey({ traffic, clientCertificate = "", policies }: RouteUse): string {
  return `${traffic} ${clientCertificate} ${policies.map(tellPolicy).join(" ")}`;
}

/** All flaws of some lists, each once. */
export function mergeFlaws(lists: readonly (readonly Flaw[])[]): readonly Flaw[] {
  const [first] = lists;
  if (first === undefined || lists.length === 1) return first ?? [];
  return [...new Map(lists.flat().map((flaw) => [JSON.stringify(flaw), flaw])).values()];
}

/** A parent that refuses the route is judged as if it took it: what is wrong with backends is said either way. */
function usesOf(draft: Pick<RouteDraft, "subject" | "listenerPolicies">, parent: Parent): readonly RouteUse[] {
  const attachments = attachmentsOf(parent);
  if (attachments.length === 0) return [toUse(draft, parent)];
  return attachments.map(({ listener }) => toUse(draft, parent, listener));
}

function toTraffic({ kind }: RouteObject, listener: ListenerPlan | undefined): Traffic {
  switch (kind) {
    case "HTTPRoute":
      return "http";
    case "GRPCRoute":
      return "grpc";
    case "TLSRoute":
      return listener?.protocol === "tls-passthrough" ? "passthrough" : "stream";
    case "TCPRoute":
      return "stream";
    case "UDPRoute":
      return "datagram";
  }
}

function translateBody(context: RouteContext, { kind, object }: RouteObject): RouteBody {
  switch (kind) {
    case "HTTPRoute":
      return translateHttpRoute(context, object.spec);
    case "GRPCRoute":
      return translateGrpcRoute(context, object.spec);
    case "TLSRoute":
    case "TCPRoute":
    case "UDPRoute":
      return translateStreamRoute(context, object.spec);
  }
}
