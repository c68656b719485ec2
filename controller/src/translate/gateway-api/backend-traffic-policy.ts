/** XBackendTrafficPolicies: nothing of them is done yet, and each is told so for every Gateway whose routes use its Services. */
import type { World, WorldObject } from "../../world/world.ts";
import { conditionsOf } from "../condition.ts";
import { type Flaw, toObjectRef, toProblem } from "../flaw.ts";
import { GATEWAY_API } from "../grants.ts";
import type { TranslateOptions, Translation } from "../translator.ts";
import { toGatewayKey } from "./gateway.ts";
import { indexUses, MOST_ANCESTORS, type ServiceUse, type UsedServices } from "./service-uses.ts";

/** Statuses of all policies that concern a Gateway of ours; the others are another controller's to judge. */
export function translateBackendTrafficPolicies(
  world: World,
  { controllerName }: TranslateOptions,
  uses: Iterable<ServiceUse>,
): Translation {
  const policies = world.list("XBackendTrafficPolicy");
  const used = policies.length === 0 ? new Map() : indexUses(uses);
  const concerned = policies.flatMap((policy) => {
    const gateways = findGateways(used, policy);
    return gateways.length === 0 ? [] : [{ policy, gateways }];
  });
  return {
    resources: [],
    statuses: concerned.map(({ policy, gateways }) => ({
      object: toObjectRef(policy),
      status: {
        ancestors: gateways.slice(0, MOST_ANCESTORS).map(({ namespace, name }) => ({
          ancestorRef: { group: GATEWAY_API, kind: "Gateway", namespace, name },
          controllerName,
          conditions: [conditionsOf(policy).judge("Accepted", findFlaws(policy), ACCEPTED)],
        })),
      },
    })),
    problems: concerned.flatMap(({ policy }) => findFlaws(policy).map((flaw) => toProblem(policy, flaw))),
  };
}

const ACCEPTED = { reason: "Accepted", message: "it asks for nothing" };

function findGateways(
  used: UsedServices,
  { namespace, object: { spec } }: WorldObject<"XBackendTrafficPolicy">,
): readonly WorldObject<"Gateway">[] {
  const services = spec.targetRefs.filter(({ group, kind }) => group === "" && kind === "Service");
  const plans = services.flatMap(({ name }) =>
    [...(used.get(`${namespace}/${name}`)?.values() ?? [])].flatMap((users) => [...users]),
  );
  const byKey = new Map(plans.map(({ gateway }) => [toGatewayKey(gateway), gateway]));
  return [...byKey.keys()].toSorted().flatMap((key) => byKey.get(key) ?? []);
}

function findFlaws({ object: { spec } }: WorldObject<"XBackendTrafficPolicy">): Flaw[] {
  const refuse = (path: string, what: string): Flaw => ({
    reason: "Invalid",
    code: "unsupported-value",
    path,
    message: `${what} not supported yet: the Services are used as if the policy were not there`,
  });
  return [
    ...(spec.retryConstraint === undefined ? [] : [refuse("spec.retryConstraint", "retry budgets of policies are")]),
    ...(spec.sessionPersistence === undefined ? [] : [refuse("spec.sessionPersistence", "session persistence is")]),
  ];
}
