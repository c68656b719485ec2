/** All routes: each by itself, then those that want the same, then what each comes to. */
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import { toProblem } from "../flaw.ts";
import type { FieldFate } from "../policy/attachment.ts";
import { Recollection } from "../recollection.ts";
import type { ServiceTrust } from "../service-trust.ts";
import type { TrafficPolicies } from "../traffic/policies.ts";
import type { TrafficVariants } from "../traffic/variant.ts";
import type { ObjectStatus } from "../translator.ts";
import type { GatewayPlan, ListenerPlan } from "./gateway-plan.ts";
import { settleRivals } from "./route-conflicts.ts";
import type { GatewayPlans } from "./gateway.ts";
import { attachmentsOf, bodiesOf, draftRoute, isSound, mergeFlaws, type RouteDraft } from "./route-draft.ts";
import { findParents, type RouteEnvironment, type RouteObject } from "./route-parents.ts";
import { fingerprintPolicies } from "./route-policies.ts";
import { toRouteResources } from "./route-resources.ts";
import { toRouteStatus } from "./route-status.ts";
import { findLosses, findStreamOwners, type StreamOwners } from "./stream-owners.ts";

/** What one route comes to. */
export interface TranslatedRoute {
  readonly subject: RouteObject;
  /** Empty where no listener that takes traffic carries it. */
  readonly resources: readonly (HttpRoute | StreamRoute)[];
  /** Absent where none of its parents is ours. */
  readonly status?: ObjectStatus;
  readonly problems: readonly Problem[];
  /** Listeners that count it as attached: each once, however many parentRefs lead there. */
  readonly listeners: ReadonlySet<ListenerPlan>;
  /** Gateways it is attached to. */
  readonly gateways: ReadonlySet<GatewayPlan>;
  /** Gateways of its parents, attached or not. */
  readonly parentGateways: ReadonlySet<GatewayPlan>;
  /** Keys (`namespace/service:port`) of the Service ports its references name, whatever policies say of them. */
  readonly usedServices: ReadonlySet<string>;
  /** Those of them whose TLS is ours to add. */
  readonly backendServices: ReadonlySet<string>;
  /** Settings of clusters it names that are not those of their Service ports. */
  readonly variants: TrafficVariants;
  /** What becomes of fields of traffic policies, for each Gateway it is attached to. */
  readonly fates: ReadonlyMap<GatewayPlan, readonly FieldFate[]>;
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

function recallDraft(environment: RouteEnvironment, subject: RouteObject): RouteDraft {
  const { world, gateways, policies, options } = environment;
  const inputs = (): readonly unknown[] => [
    options.trust,
    ...findParents(gateways, subject).flatMap((found) => [found?.parent, found?.gateway]),
    ...fingerprintPolicies(policies, gateways, subject),
  ];
  return rememberedDrafts.recall(subject, { world, inputs, origin: toOrigin(environment) }, (reader) =>
    draftRoute({ ...environment, world: reader }, subject),
  );
}

const origins = new WeakMap<GatewayPlans["byKey"], Origin>();

interface Origin {
  readonly policies: TrafficPolicies;
  readonly trust: ServiceTrust;
}

/** The same object as long as Gateways, policies and the trust in Services are the same. */
function toOrigin({ gateways: { byKey }, policies, options: { trust } }: RouteEnvironment): object {
  const known = origins.get(byKey);
  if (known?.policies === policies && known.trust === trust) return known;
  const origin: Origin = { policies, trust };
  origins.set(byKey, origin);
  return origin;
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
    subject,
    resources: toRouteResources(draft, owners),
    ...(parents.length === 0 ? {} : { status: toRouteStatus(draft, options) }),
    problems: findings.map((finding) => toProblem(subject, finding)),
    listeners: new Set(attached.flatMap((parent) => attachmentsOf(parent).map(({ listener }) => listener))),
    gateways: new Set(attached.map(({ gateway }) => gateway)),
    parentGateways: new Set(parents.map(({ gateway }) => gateway)),
    usedServices: new Set(bodies.flatMap((body) => [...body.usedServices])),
    backendServices: new Set(bodies.flatMap((body) => [...body.backendServices])),
    variants: new Map(bodies.flatMap(({ traffic }) => [...traffic.variants])),
    fates: findFates(draft),
  };
}

function findFates(draft: RouteDraft): ReadonlyMap<GatewayPlan, readonly FieldFate[]> {
  const fates = new Map<GatewayPlan, FieldFate[]>();
  for (const parent of isSound(draft) ? draft.parents : []) {
    const own =
      attachmentsOf(parent).length === 0 ? [] : bodiesOf(draft, parent).flatMap(({ traffic }) => traffic.fates);
    if (own.length > 0) fates.set(parent.gateway, [...(fates.get(parent.gateway) ?? []), ...own]);
  }
  return fates;
}
