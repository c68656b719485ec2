/**
 * ListenerSets (GEP-1713): listeners that others than the Gateway's owner add to it. Each is judged by itself here; who wins
 * where two want the same is for conflicts.ts.
 */
import type { Problem } from "@sallyport/model/problem";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, type Flaw, hintObject, toProblem } from "../flaw.ts";
import type { ListenerSetDraft } from "./gateway-plan.ts";
import { GATEWAY_API } from "../grants.ts";
import { admitsNamespace } from "./listener-namespaces.ts";
import { draftListener, type GatewayContext } from "./listeners.ts";

/** ListenerSets by the Gateway they name. */
export interface ListenerSets {
  /** By `namespace/name` of the Gateway; each list in order of precedence. */
  readonly byGateway: ReadonlyMap<string, readonly WorldObject<"ListenerSet">[]>;
  /** What is to say of those that name none. */
  readonly problems: readonly Problem[];
}

/** Sorts ListenerSets by Gateway; among those of one the older come first, then those first by namespace and name. */
export function groupListenerSets(world: World): ListenerSets {
  const byGateway = new Map<string, WorldObject<"ListenerSet">[]>();
  const problems: Problem[] = [];
  for (const set of world.list("ListenerSet")) {
    const { group, kind, name, namespace = set.namespace } = set.object.spec.parentRef;
    if (group !== GATEWAY_API || kind !== "Gateway") {
      problems.push(toProblem(set, toForeignParent(kind)));
    } else if (world.get("Gateway", namespace, name) === undefined) {
      problems.push(toProblem(set, toMissingParent(world, namespace, name)));
    } else {
      const key = `${namespace}/${name}`;
      const sets = byGateway.get(key);
      if (sets === undefined) byGateway.set(key, [set]);
      else sets.push(set);
    }
  }
  // The list of the world is sorted by namespace and name, and sorting keeps the order of equals.
  for (const [key, sets] of byGateway) byGateway.set(key, sets.toSorted(byAge));
  return { byGateway, problems };
}

function byAge(left: WorldObject<"ListenerSet">, right: WorldObject<"ListenerSet">): number {
  if (left.age === right.age) return 0;
  return left.age < right.age ? -1 : 1;
}

/** Judges one ListenerSet of a Gateway. */
export function draftListenerSet(context: GatewayContext, set: WorldObject<"ListenerSet">): ListenerSetDraft {
  return {
    set,
    flaws: findAdmissionFlaws(context, set),
    listeners: set.object.spec.listeners.map((spec, index) => draftListener({ ...context, owner: set }, spec, index)),
  };
}

function findAdmissionFlaws({ world, gateway }: GatewayContext, set: WorldObject<"ListenerSet">): Flaw[] {
  const rule = gateway.object.spec.allowedListeners?.namespaces ?? { from: "None" };
  if (admitsNamespace(world, rule, { home: gateway.namespace, namespace: set.namespace })) return [];
  return [
    {
      reason: "NotAllowed",
      code: "not-attached",
      path: "spec.parentRef",
      message: `the Gateway ${gateway.namespace}/${gateway.name} allows no ListenerSets of the namespace ${set.namespace}`,
      hint: "the Gateway says in spec.allowedListeners whose ListenerSets it takes",
    },
  ];
}

function toForeignParent(kind: string): Finding {
  const message = `a ListenerSet belongs to a Gateway, not to a ${kind}`;
  return { code: "not-attached", path: "spec.parentRef", message };
}

function toMissingParent(world: World, namespace: string, name: string): Finding {
  return {
    code: "unresolved-reference",
    path: "spec.parentRef.name",
    message: `there is no Gateway ${name} in the namespace ${namespace}`,
    ...hintObject(name, world.list("Gateway", namespace)),
  };
}
