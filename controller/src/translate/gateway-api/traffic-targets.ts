/** What Gateways and routes say of traffic policies: whom a target concerns, and whose fields are in force where. */
import type { World } from "../../world/world.ts";
import { hintName, hintObject } from "../flaw.ts";
import { GATEWAY_API } from "../grants.ts";
import type { FieldFate } from "../policy/attachment.ts";
import type { ClusterTraffic } from "../traffic/settings.ts";
import {
  type AncestorFates,
  type FamilyTraffic,
  type PolicyTarget,
  type TargetVerdict,
  toMissingTarget,
} from "../traffic/family.ts";
import { type GatewayPlans, toGatewayKey } from "./gateway.ts";
import type { GatewayPlan } from "./gateway-plan.ts";
import { findListenerTarget, toGatewayRef } from "./listener-targets.ts";
import type { TranslatedRoute } from "./routes.ts";
import { indexUses, type UsedServices } from "./service-uses.ts";

/** What Gateways and routes say of traffic policies. */
export function toFamilyTraffic(
  world: World,
  gateways: GatewayPlans,
  routes: readonly TranslatedRoute[],
): FamilyTraffic {
  const index = new TargetIndex(routes);
  return {
    variants: joinVariants(routes),
    findTarget: (target) => findTarget({ world, gateways, index }, target),
    fates: groupFates(routes),
  };
}

function joinVariants(routes: readonly TranslatedRoute[]): ReadonlyMap<string, ClusterTraffic> {
  const joined = new Map<string, ClusterTraffic>();
  for (const { variants } of routes) for (const [variant, settings] of variants) joined.set(variant, settings);
  return joined;
}

/** By owner of a field and Gateway; most routes say the same of most fields, by the same objects. */
function groupFates(routes: readonly TranslatedRoute[]): ReadonlyMap<string, readonly AncestorFates[]> {
  const byGateway = new Map<GatewayPlan, Set<FieldFate>>();
  for (const { fates } of routes) {
    for (const [gateway, own] of fates) {
      const known = byGateway.get(gateway) ?? new Set<FieldFate>();
      byGateway.set(gateway, known);
      for (const fate of own) known.add(fate);
    }
  }
  const grouped = new Map<string, AncestorFates[]>();
  for (const [gateway, known] of byGateway) {
    for (const [owner, fates] of Map.groupBy(known, (fate) => fate.owner)) {
      grouped.set(owner, [...(grouped.get(owner) ?? []), { ref: toGatewayRef(gateway), fates }]);
    }
  }
  return grouped;
}

/** Routes by what policies name; made when the first policy asks. */
class TargetIndex {
  readonly #routes: readonly TranslatedRoute[];
  #services: UsedServices | undefined;
  #byKey: ReadonlyMap<string, TranslatedRoute> | undefined;

  constructor(routes: readonly TranslatedRoute[]) {
    this.#routes = routes;
  }

  route(kind: string, namespace: string, name: string): TranslatedRoute | undefined {
    this.#byKey ??= new Map(
      this.#routes.map((route) => [`${route.subject.kind}/${route.subject.namespace}/${route.subject.name}`, route]),
    );
    return this.#byKey.get(`${kind}/${namespace}/${name}`);
  }

  service(namespace: string, name: string): ReadonlyMap<number, ReadonlySet<GatewayPlan>> | undefined {
    this.#services ??= indexUses(
      this.#routes.map(({ gateways, usedServices }) => ({ gateways, backendServices: usedServices })),
    );
    return this.#services.get(`${namespace}/${name}`);
  }
}

interface TargetContext {
  readonly world: World;
  readonly gateways: GatewayPlans;
  readonly index: TargetIndex;
}

function findTarget(context: TargetContext, target: PolicyTarget): TargetVerdict {
  const { group, kind } = target.ref;
  if (group === "" && kind === "Service") return findService(context, target);
  if (group !== GATEWAY_API) return { kind: "foreign" };
  if (kind === "HTTPRoute" || kind === "GRPCRoute") return findRoute(context, kind, target);
  const found = findListenerTarget(context.world, context.gateways, target);
  return found.kind === "found" ? toFound(found.gateways) : found;
}

function toFound(gateways: Iterable<GatewayPlan>): TargetVerdict {
  const byKey = new Map([...gateways].map((plan) => [toGatewayKey(plan.gateway), plan]));
  return { kind: "found", ancestors: [...byKey.values()].map(toGatewayRef) };
}

function findService({ world, index }: TargetContext, { namespace, ref }: PolicyTarget): TargetVerdict {
  const { name, sectionName = "" } = ref;
  const ports = world.get("Service", namespace, name)?.object.spec.ports ?? [];
  const numbers = new Set(ports.filter((port) => port.name === sectionName).map(({ port }) => port));
  const used = [...(index.service(namespace, name) ?? [])];
  return toFound(
    used.flatMap(([number, gateways]) => (sectionName === "" || numbers.has(number) ? [...gateways] : [])),
  );
}

function findRoute(
  { world, index }: TargetContext,
  kind: "HTTPRoute" | "GRPCRoute",
  { namespace, ref, path }: PolicyTarget,
): TargetVerdict {
  const { name, sectionName = "" } = ref;
  const subject = world.get(kind, namespace, name);
  if (subject === undefined) {
    const message = `there is no ${kind} ${name} in the namespace ${namespace}`;
    const hint = hintObject(name, world.list(kind, namespace));
    return { kind: "missing", flaw: toMissingTarget(`${path}.name`, message, hint) };
  }
  const gateways = index.route(kind, namespace, name)?.parentGateways ?? new Set<GatewayPlan>();
  if (gateways.size === 0) return { kind: "foreign" };
  const names = (subject.object.spec.rules ?? []).flatMap((rule) => rule.name ?? []);
  if (sectionName === "" || names.includes(sectionName)) return toFound(gateways);
  const message = `the ${kind} ${namespace}/${name} has no rule named ${sectionName}`;
  const hint = names.length === 0 ? { hint: "give the rule a name" } : hintName(sectionName, names);
  return { kind: "missing", flaw: toMissingTarget(`${path}.sectionName`, message, hint) };
}
