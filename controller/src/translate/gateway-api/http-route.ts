/** HTTPRoutes: what is theirs of a route. */
import type { HTTPRouteBackendObjectRef, HTTPRouteSpec } from "../../kube/generated/types/http-route.ts";
import { findServices, type RouteBody } from "./route-body.ts";
import type { RouteContext } from "./route-context.ts";
import { type CommonRule, translateRule, type TranslatedRule } from "./rules.ts";

/** The body of an HTTPRoute. */
export function translateHttpRoute(context: RouteContext, { rules }: HTTPRouteSpec): RouteBody {
  return toHttpBody(
    context,
    rules,
    rules.map((rule, index) => translateRule(context, rule, index)),
  );
}

/** The body that translated rules make. A route without any is accepted and takes no traffic. */
export function toHttpBody(
  context: RouteContext,
  rules: readonly CommonRule[],
  translated: readonly TranslatedRule[],
): RouteBody {
  const broken = translated.filter(({ flaws }) => flaws.length > 0);
  const usable = translated.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  return {
    ...(usable.length === 0 ? {} : { content: { kind: "http-route", rules: usable } }),
    accepted: rules.length === 0 || broken.length < rules.length,
    broken,
    unresolved: translated.flatMap(({ unresolved }) => unresolved),
    findings: translated.flatMap(({ flaws, unresolved }) => [...flaws, ...unresolved]),
    ...findServices(context, rules.flatMap(backendsOf)),
    traffic: context.scope.outcome,
  };
}

/** Backends of a rule and of its mirrors. */
function backendsOf({ backendRefs = [], filters = [] }: CommonRule): HTTPRouteBackendObjectRef[] {
  const all = [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])];
  const mirrors = all.flatMap(({ requestMirror }) => (requestMirror === undefined ? [] : [requestMirror.backendRef]));
  return [...backendRefs, ...mirrors];
}
