/** All routes: each by itself, then those that want the same, then what each comes to. */
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import { toProblem } from "../flaw.ts";
import { Recollection } from "../recollection.ts";
import type { ObjectStatus } from "../translator.ts";
import type { GatewayPlan, ListenerPlan } from "./gateway-plan.ts";
import { settleRivals } from "./route-conflicts.ts";
import { attachmentsOf, draftRoute, isSound, mergeFlaws, type RouteDraft } from "./route-draft.ts";
import { findParents, type RouteEnvironment, type RouteObject } from "./route-parents.ts";
import { toRouteResources } from "./route-resources.ts";
import { toRouteStatus } from "./route-status.ts";
import { findLosses, findStreamOwners, type StreamOwners } from "./stream-owners.ts";

/** What one route comes to. */
export interface TranslatedRoute {
  /** Empty where no listener that takes traffic carries it. */
  readonly resources: readonly (HttpRoute | StreamRoute)[];
  /** Absent where none of its parents is ours. */
  readonly status?: ObjectStatus;
  readonly problems: readonly Problem[];
  /** Listeners that count it as attached: each once, however many parentRefs lead there. */
  readonly listeners: ReadonlySet<ListenerPlan>;
  /** Gateways it is attached to. */
  readonly gateways: ReadonlySet<GatewayPlan>;
  /** Keys (`namespace/service:port`) of the Service ports its references name, whatever policies say of them. */
  readonly backendServices: ReadonlySet<string>;
}

/** Translates all routes, kind by kind, of a kind by namespace and name. */
export function translateRoutes(environment: RouteEnvironment): readonly TranslatedRoute[] {
  const { world } = environment;
  const subjects: readonly RouteObject[] = [
    ...world.list("HTTPRoute"),
    ...world.list("GRPCRoute"),
    ...world.list("TLSRoute"),
    ...world.list("TCPRoute"),
    ...world.list("UDPRoute"),
  ];
  const drafts = settleRivals(subjects.map((subject) => recallDraft(environment, subject)));
  const owners = findStreamOwners(drafts);
  return drafts.map((draft) => recallRoute(environment, draft, owners));
}

const rememberedDrafts = new Recollection<RouteObject, RouteDraft>();

function recallDraft({ world, options, gateways }: RouteEnvironment, subject: RouteObject): RouteDraft {
  const inputs = (): readonly unknown[] =>
    findParents(gateways, subject).flatMap((found) => [found?.parent, found?.gateway]);
  return rememberedDrafts.recall(subject, { world, inputs, origin: gateways.byKey }, (reader) =>
    draftRoute({ world: reader, options, gateways }, subject),
  );
}

const rememberedRoutes = new Recollection<RouteDraft, TranslatedRoute>();

/** Who gets the connections of a stream listener is a question to all its routes; requests are shared out by the proxy. */
function recallRoute(environment: RouteEnvironment, draft: RouteDraft, owners: StreamOwners): TranslatedRoute {
  const { kind } = draft.subject;
  if (kind !== "HTTPRoute" && kind !== "GRPCRoute") return finishRoute(environment, draft, owners);
  const { world, options } = environment;
  const inputs = (): readonly unknown[] => [options.controllerName];
  return rememberedRoutes.recall(draft, { world, inputs }, () => finishRoute(environment, draft, owners));
}

function finishRoute({ options }: RouteEnvironment, draft: RouteDraft, owners: StreamOwners): TranslatedRoute {
  const { subject, parents } = draft;
  const bodies = [...draft.bodies.values()].map(({ body }) => body);
  const refusals = parents.flatMap(({ result }) => (result.kind === "refused" ? [result.flaw] : []));
  const flaws = mergeFlaws(bodies.map((body) => body.findings));
  const findings = [...draft.findings, ...refusals, ...findLosses(owners, draft), ...flaws];
  const attached = isSound(draft) ? parents.filter(({ result }) => result.kind === "attached") : [];
  return {
    resources: toRouteResources(draft, owners),
    ...(parents.length === 0 ? {} : { status: toRouteStatus(draft, options) }),
    problems: findings.map((finding) => toProblem(subject, finding)),
    listeners: new Set(attached.flatMap((parent) => attachmentsOf(parent).map(({ listener }) => listener))),
    gateways: new Set(attached.map(({ gateway }) => gateway)),
    backendServices: new Set(bodies.flatMap((body) => [...body.backendServices])),
  };
}
