/** What Ingresses say of traffic policies: which of them a target concerns, and whose fields are in force there. */
import type { HttpRoute } from "@sallyport/model/route";
import { clustersOf } from "@sallyport/model/validate";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, hintObject } from "../flaw.ts";
import type { AncestorRef } from "../policy/policy-status.ts";
import { parseClusterKey } from "../service-port.ts";
import {
  type AncestorFates,
  type FamilyTraffic,
  type PolicyTarget,
  type TargetVerdict,
  toMissingTarget,
} from "../traffic/statuses.ts";
import { INGRESS_API, type IngressContext } from "./context.ts";

/** The routes of an Ingress, and what is to say of it. */
export interface TranslatedIngress {
  readonly ingress: WorldObject<"Ingress">;
  readonly routes: readonly HttpRoute[];
  readonly findings: readonly Finding[];
}

/** What Ingresses of ours say of traffic policies. */
export function toFamilyTraffic(
  world: World,
  contexts: ReadonlyMap<WorldObject<"Ingress">, IngressContext>,
  translated: readonly TranslatedIngress[],
): FamilyTraffic {
  const outcomes = Array.from(contexts, ([ingress, { scope }]) => ({ ingress, outcome: scope.outcome }));
  const fates = new Map<string, AncestorFates[]>();
  for (const { ingress, outcome } of outcomes) {
    for (const [owner, own] of Map.groupBy(outcome.fates, (fate) => fate.owner)) {
      fates.set(owner, [...(fates.get(owner) ?? []), { ref: toIngressRef(ingress), fates: own }]);
    }
  }
  return {
    variants: new Map(outcomes.flatMap(({ outcome }) => [...outcome.variants])),
    findTarget: (target) => findTarget({ world, ours: new Set(contexts.keys()), translated }, target),
    fates,
  };
}

function toIngressRef({ kind, namespace, name }: WorldObject<"Ingress">): AncestorRef {
  return { group: INGRESS_API, kind, namespace, name };
}

interface TargetContext {
  readonly world: World;
  readonly ours: ReadonlySet<WorldObject<"Ingress">>;
  readonly translated: readonly TranslatedIngress[];
}

function findTarget({ world, ours, translated }: TargetContext, target: PolicyTarget): TargetVerdict {
  const { namespace, ref, path } = target;
  const { group, kind, name } = ref;
  if (group === "" && kind === "Service") {
    const users = translated.filter(({ routes }) => routes.some((route) => isUsed(world, route, target)));
    return { kind: "found", ancestors: users.map(({ ingress }) => toIngressRef(ingress)) };
  }
  if (group !== INGRESS_API || kind !== "Ingress") return { kind: "foreign" };
  const ingress = world.get("Ingress", namespace, name);
  if (ingress !== undefined) {
    return ours.has(ingress) ? { kind: "found", ancestors: [toIngressRef(ingress)] } : { kind: "foreign" };
  }
  const message = `there is no Ingress ${name} in the namespace ${namespace}`;
  const hint = hintObject(name, world.list("Ingress", namespace));
  return { kind: "missing", flaw: toMissingTarget(`${path}.name`, message, hint) };
}

/** Whether a route sends requests to the Service, or to its port of that name. */
function isUsed(world: World, route: HttpRoute, { namespace, ref: { name, sectionName = "" } }: PolicyTarget): boolean {
  const ports = world.get("Service", namespace, name)?.object.spec.ports ?? [];
  return [...clustersOf(route)].map(parseClusterKey).some((used) => {
    if (used?.namespace !== namespace || used.name !== name) return false;
    return sectionName === "" || ports.some((port) => port.name === sectionName && port.port === used.port);
  });
}
