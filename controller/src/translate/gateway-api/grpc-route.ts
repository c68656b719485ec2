/** GRPCRoutes: what is theirs of a route. They become HTTP routes, for a call is an HTTP request. */
import type { GRPCRouteRule, GRPCRouteSpec } from "../../kube/generated/types/grpc-route.ts";
import { translateGrpcMatches } from "./grpc-matches.ts";
import { toHttpBody } from "./http-route.ts";
import type { RouteBody } from "./route-body.ts";
import type { RouteContext } from "./route-context.ts";
import { assembleRule, type TranslatedRule } from "./rules.ts";

/** The body of a GRPCRoute. */
export function translateGrpcRoute(context: RouteContext, { rules = [] }: GRPCRouteSpec): RouteBody {
  return toHttpBody(
    context,
    rules,
    rules.map((rule, index) => translateGrpcRule(context, rule, index)),
  );
}

function translateGrpcRule(context: RouteContext, rule: GRPCRouteRule, index: number): TranslatedRule {
  return assembleRule(context, rule, {
    index,
    matches: translateGrpcMatches(rule.matches ?? [], `spec.rules[${index}]`),
    hasPrefix: false,
    own: {},
    flaws: [],
  });
}
