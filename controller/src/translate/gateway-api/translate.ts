/** Gateway API: GatewayClasses, Gateways and routes of our controller. */
import type { Resource } from "@sallyport/model/snapshot";
import { findTrafficPolicies } from "../traffic/policies.ts";
import type { Translate } from "../translator.ts";
import { translateBackendTlsPolicies } from "./backend-tls-policy.ts";
import { translateClientTrafficPolicies } from "./client-traffic-policy.ts";
import { planGateways, toGatewayKey } from "./gateway.ts";
import { translateGatewayClasses } from "./gateway-class.ts";
import type { GatewayPlan, ListenerPlan } from "./gateway-plan.ts";
import { toGatewayResources } from "./gateway-resources.ts";
import { toGatewayProblems, toGatewayStatus } from "./gateway-status.ts";
import { toListenerSetProblems, toListenerSetStatus } from "./listener-set-status.ts";
import type { GatewayFacts } from "./listener-status.ts";
import { translateMeshes } from "./mesh.ts";
import { translateRoutes } from "./routes.ts";
import { toFamilyTraffic } from "./traffic-targets.ts";

/** Translates all Gateway API objects. Gateways are planned before routes and judged after them, for they count them. */
export const translateGatewayApi: Translate = (world, options) => {
  const classes = translateGatewayClasses(world, options);
  const gateways = planGateways(world, options);
  const plans = [...gateways.byKey.values()];
  const routes = translateRoutes({ world, options, gateways, policies: findTrafficPolicies(world) });
  const clients = translateClientTrafficPolicies(world, options, gateways);
  const policies = [clients.translation, translateBackendTlsPolicies(world, options, routes), translateMeshes(world)];
  const attachedRoutes = new Map<ListenerPlan, number>();
  for (const { listeners } of routes) {
    for (const listener of listeners) attachedRoutes.set(listener, (attachedRoutes.get(listener) ?? 0) + 1);
  }
  const factsOf = ({ gateway }: GatewayPlan): GatewayFacts => ({
    attachedRoutes,
    obstacles: options.proxies?.obstaclesOf(toGatewayKey(gateway)) ?? [],
  });
  const resources: Resource[] = plans.flatMap((plan) => toGatewayResources(plan, options, clients.settings));
  for (const route of routes) resources.push(...route.resources);
  return {
    resources,
    statuses: [
      ...classes.statuses,
      ...plans.map((plan) => toGatewayStatus(plan, factsOf(plan))),
      ...plans.flatMap((plan) => plan.sets.map((set) => toListenerSetStatus(plan, set, factsOf(plan)))),
      ...routes.flatMap(({ status }) => (status === undefined ? [] : [status])),
      ...policies.flatMap(({ statuses }) => statuses),
    ],
    problems: [
      ...classes.problems,
      ...gateways.problems,
      ...plans.flatMap(toGatewayProblems),
      ...plans.flatMap(({ sets }) => sets.flatMap(toListenerSetProblems)),
      ...routes.flatMap(({ problems }) => problems),
      ...policies.flatMap(({ problems }) => problems),
    ],
    traffic: toFamilyTraffic(world, gateways, routes),
  };
};
