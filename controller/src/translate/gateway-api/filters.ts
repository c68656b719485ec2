/** Filters of rules and backends, in the order in which they are written, which is the order in which they run. */
import type { Policy } from "@sallyport/model/policy";
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

/** Translates the filters at a place, whose path is that of the rule or backend. */
export function translateFilters(
  context: RouteContext,
  filters: readonly HTTPRouteFilter[],
  place: RulePlace,
): TranslatedFilters {
  const outcomes = filters.map((filter, index) => {
    const path = `${place.path}.filters[${index}]`;
    const translate = Object.hasOwn(TRANSLATORS, filter.type) ? TRANSLATORS[filter.type] : refuseUnknown;
    return translate(context, filter, { ...place, path });
  });
  const flaws = [...findIncompatible(filters, place.path), ...outcomes.flatMap((outcome) => outcome.flaws ?? [])];
  return {
    policies: outcomes.flatMap(({ policy }) => (policy === undefined ? [] : [policy])),
    flaws,
    unresolved: outcomes.flatMap((outcome) => outcome.unresolved ?? []),
    blocked: flaws[0]?.reason ?? outcomes.find(({ blocked }) => blocked !== undefined)?.blocked,
  };
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
