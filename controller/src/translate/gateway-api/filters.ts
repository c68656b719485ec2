/** Filters of rules and backends, in the order in which they are written, which is the order in which they run. */
import type { Policy } from "@sallyport/model/policy";
import { checkPolicy } from "@sallyport/model/policy-check";
import type { HTTPRouteFilter } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { translateCors } from "./cors-filter.ts";
import { type FilterOutcome, refuseFilter, toUnsupported, type TranslateFilter } from "./filter-outcome.ts";
import { translateRequestHeaders, translateResponseHeaders } from "./header-filters.ts";
import { translateMirror } from "./mirror-filter.ts";
import type { RouteContext, RulePlace } from "./route-context.ts";
import { translateRedirect, translateRewrite } from "./url-filters.ts";

/** Filters as policies, and what is wrong with them. */
export interface TranslatedFilters {
  readonly policies: readonly Policy[];
  /** Why the rule cannot be accepted. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
  /** The reason why requests must get an error instead of passing without one of the filters. */
  readonly blocked: string | undefined;
}

const TRANSLATORS: Readonly<Record<HTTPRouteFilter["type"], TranslateFilter>> = {
  RequestHeaderModifier: translateRequestHeaders,
  ResponseHeaderModifier: translateResponseHeaders,
  RequestRedirect: translateRedirect,
  URLRewrite: translateRewrite,
  RequestMirror: translateMirror,
  CORS: translateCors,
  ExtensionRef: refuseExtension,
  ExternalAuth: (_, __, { path }) =>
    refuseFilter(toUnsupported(`${path}.type`, "the filter ExternalAuth is not supported yet")),
};

/** The field of a filter that a policy is made from. */
const FIELDS: Readonly<Record<Policy["kind"], keyof HTTPRouteFilter | "">> = {
  "request-headers": "requestHeaderModifier",
  "response-headers": "responseHeaderModifier",
  redirect: "requestRedirect",
  rewrite: "urlRewrite",
  mirror: "requestMirror",
  cors: "cors",
  fault: "",
  compression: "",
  "response-override": "",
  "request-body": "",
};

/** Translates the filters at a place, whose path is that of the rule or backend. */
export function translateFilters(
  context: RouteContext,
  filters: readonly HTTPRouteFilter[],
  place: RulePlace,
): TranslatedFilters {
  const outcomes = filters.map((filter, index) => {
    const path = `${place.path}.filters[${index}]`;
    const translate = Object.hasOwn(TRANSLATORS, filter.type) ? TRANSLATORS[filter.type] : refuseUnknown;
    return checkOutcome(translate(context, filter, { ...place, path }), path);
  });
  const flaws = [...findIncompatible(filters, place.path), ...outcomes.flatMap((outcome) => outcome.flaws ?? [])];
  return {
    policies: outcomes.flatMap(({ policy }) => (policy === undefined ? [] : [policy])),
    flaws,
    unresolved: outcomes.flatMap((outcome) => outcome.unresolved ?? []),
    blocked: flaws[0]?.reason ?? outcomes.find(({ blocked }) => blocked !== undefined)?.blocked,
  };
}

/** Nothing that could split a message gets into a policy, whoever let it into the object. */
function checkOutcome(outcome: FilterOutcome, path: string): FilterOutcome {
  if (outcome.policy === undefined) return outcome;
  const flaws = checkPolicy(outcome.policy, `${path}.${FIELDS[outcome.policy.kind]}`).map((problem): Flaw => ({
    reason: "UnsupportedValue",
    code: problem.code,
    path: problem.path ?? path,
    message: problem.message,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  }));
  return flaws.length > 0 ? { ...outcome, flaws } : outcome;
}

/** A redirect answers, a rewrite passes on: one rule cannot do both (HTTPRouteRule.filters). */
function findIncompatible(filters: readonly HTTPRouteFilter[], path: string): Flaw[] {
  const has = (type: HTTPRouteFilter["type"]): boolean => filters.some((filter) => filter.type === type);
  if (!has("RequestRedirect") || !has("URLRewrite")) return [];
  return [
    {
      reason: "IncompatibleFilters",
      code: "unsupported-value",
      path: `${path}.filters`,
      message: "the filters RequestRedirect and URLRewrite cannot be combined",
      hint: "a redirect has a path of its own: requestRedirect.path",
    },
  ];
}

/** GEP-1364: an unknown extension is a reference that leads nowhere, and its requests get an error. */
function refuseExtension(_: RouteContext, { extensionRef }: HTTPRouteFilter, { path }: RulePlace): FilterOutcome {
  const { kind = "", group = "" } = extensionRef ?? {};
  const flaw: Flaw = {
    reason: "InvalidKind",
    code: "unsupported-value",
    path: `${path}.extensionRef`,
    message: `filters of kind ${kind}${group === "" ? "" : ` of ${group}`} are not known; requests of this rule are answered with 500`,
  };
  return { unresolved: [flaw], blocked: flaw.reason };
}

function refuseUnknown(_: RouteContext, { type }: HTTPRouteFilter, { path }: RulePlace): FilterOutcome {
  return refuseFilter(toUnsupported(`${path}.type`, `the filter type ${String(type)} is not known`));
}
