/** What Ingresses say of traffic policies: which of them a target concerns, and whose fields are in force there. */
import type { HttpRoute } from "@sallyport/model/route";
import { clustersOf } from "@sallyport/model/validate";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, hintObject } from "../flaw.ts";
import type { AncestorRef } from "../policy/attachment.ts";
import { parseClusterKey } from "../service-port.ts";
import {
  type AncestorFates,
  type FamilyTraffic,
  type PolicyTarget,
  type TargetVerdict,
  toMissingTarget,
} from "../traffic/family.ts";
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
  const ours = new Set(contexts.keys());
  let users: ServiceUsers | undefined;
  return {
    variants: new Map(outcomes.flatMap(({ outcome }) => [...outcome.variants])),
    findTarget: (target) => findTarget({ world, ours, usersOf: () => (users ??= indexUsers(translated)) }, target),
    fates,
  };
}

function toIngressRef({ kind, namespace, name }: WorldObject<"Ingress">): AncestorRef {
  return { group: INGRESS_API, kind, namespace, name };
}

interface TargetContext {
  readonly world: World;
  readonly ours: ReadonlySet<WorldObject<"Ingress">>;
  readonly usersOf: () => ServiceUsers;
}

/** Which port of a Service an Ingress sends requests to, by `namespace/name`. */
type ServiceUsers = ReadonlyMap<string, readonly { readonly ingress: WorldObject<"Ingress">; readonly port: number }[]>;

function indexUsers(translated: readonly TranslatedIngress[]): ServiceUsers {
  const uses = translated.flatMap(({ ingress, routes }) =>
    routes.flatMap((route) =>
      [...clustersOf(route)].flatMap((key) => {
        const ref = parseClusterKey(key);
        return ref === undefined ? [] : [{ ingress, service: `${ref.namespace}/${ref.name}`, port: ref.port }];
      }),
    ),
  );
  return Map.groupBy(uses, ({ service }) => service);
}

function findTarget({ world, ours, usersOf }: TargetContext, target: PolicyTarget): TargetVerdict {
  const { namespace, ref, path } = target;
  const { group, kind, name } = ref;
  if (group === "" && kind === "Service") {
    return { kind: "found", ancestors: findUsers(world, usersOf(), target).map(toIngressRef) };
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

/** The Ingresses that send requests to the Service, or to its port of that name. */
function findUsers(
  world: World,
  users: ServiceUsers,
  { namespace, ref: { name, sectionName = "" } }: PolicyTarget,
): WorldObject<"Ingress">[] {
  const ports = world.get("Service", namespace, name)?.object.spec.ports ?? [];
  const numbers = new Set(ports.filter((port) => port.name === sectionName).map(({ port }) => port));
  const own = users.get(`${namespace}/${name}`) ?? [];
  return own.filter(({ port }) => sectionName === "" || numbers.has(port)).map(({ ingress }) => ingress);
}
