/** A route of any kind by itself: where it hangs, and what it does there for each way of speaking to its backends. */
import type { Finding, Flaw } from "../flaw.ts";
import { type BackendUse, BROKEN_CERTIFICATE, type Traffic } from "../service-port.ts";
import type { Attachment } from "./attach.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
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
import { translateStreamRoute } from "./stream-route.ts";

/** A body, and the use it was translated for. */
export interface UsedBody {
  readonly use: BackendUse;
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
}

/** Judges one route. Of one that no parentRef makes ours, nothing is translated. */
export function draftRoute(environment: RouteEnvironment, subject: RouteObject): RouteDraft {
  const { parents, findings } = followParents(environment, subject);
  const base = { world: environment.world, route: toAttachingRoute(subject) };
  const bodies = new Map<string, UsedBody>();
  for (const use of parents.flatMap((parent) => usesOf(subject, parent))) {
    const key = toUseKey(use);
    if (!bodies.has(key)) bodies.set(key, { use, body: translateBody({ ...base, ...use }, subject) });
  }
  return { subject, parents, findings, bodies };
}

/** Whether its rules make a route. */
export function isSound({ bodies }: RouteDraft): boolean {
  return [...bodies.values()].every(({ body }) => body.accepted);
}

/** The bodies of a route under one of its parents: one but where a TLSRoute hangs on listeners of both TLS modes. */
export function bodiesOf({ subject, bodies }: RouteDraft, parent: Parent): readonly RouteBody[] {
  const keys = new Set(usesOf(subject, parent).map(toUseKey));
  return [...keys].flatMap((key) => bodies.get(key)?.body ?? []);
}

/** Where a parentRef leads; nowhere where it is refused. */
export function attachmentsOf({ result }: Parent): readonly Attachment[] {
  return result.kind === "attached" ? result.attachments : [];
}

/** How a route's backends are spoken to where it hangs on this listener. */
export function toUse(subject: RouteObject, { gateway }: Parent, listener?: ListenerPlan): BackendUse {
  const traffic = toTraffic(subject, listener);
  const { backendCertificate } = gateway;
  // Where no TLS is ours to add there is nobody to show a certificate to.
  if (backendCertificate === undefined || traffic === "passthrough" || traffic === "datagram") return { traffic };
  const clientCertificate = backendCertificate === "broken" ? BROKEN_CERTIFICATE : backendCertificate.key;
  return { traffic, clientCertificate };
}

/** Uses are equal where this text is. */
export function toUseKey({ traffic, clientCertificate = "" }: BackendUse): string {
  return `${traffic} ${clientCertificate}`;
}

/** All flaws of some lists, each once. */
export function mergeFlaws(lists: readonly (readonly Flaw[])[]): readonly Flaw[] {
  const [first] = lists;
  if (first === undefined || lists.length === 1) return first ?? [];
  return [...new Map(lists.flat().map((flaw) => [JSON.stringify(flaw), flaw])).values()];
}

/** A parent that refuses the route is judged as if it took it: what is wrong with backends is said either way. */
function usesOf(subject: RouteObject, parent: Parent): readonly BackendUse[] {
  const attachments = attachmentsOf(parent);
  if (attachments.length === 0) return [toUse(subject, parent)];
  return attachments.map(({ listener }) => toUse(subject, parent, listener));
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
