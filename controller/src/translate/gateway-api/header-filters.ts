/** RequestHeaderModifier and ResponseHeaderModifier. */
import type { HeaderValue, Policy } from "@sallyport/model/policy";
import type { HTTPRouteHeaderModifier } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { type FilterOutcome, refuseEmpty, toUnsupported, type TranslateFilter } from "./filter-outcome.ts";

/** RequestHeaderModifier to a request-headers policy. */
export const translateRequestHeaders: TranslateFilter = (_, { requestHeaderModifier: modifier }, place) => {
  if (modifier === undefined) return refuseEmpty(place, "requestHeaderModifier");
  return translateHeaders("request-headers", modifier, `${place.path}.requestHeaderModifier`);
};

/** ResponseHeaderModifier to a response-headers policy. */
export const translateResponseHeaders: TranslateFilter = (_, { responseHeaderModifier: modifier }, place) => {
  if (modifier === undefined) return refuseEmpty(place, "responseHeaderModifier");
  return translateHeaders("response-headers", modifier, `${place.path}.responseHeaderModifier`);
};

type HeaderPolicyKind = Extract<Policy["kind"], "request-headers" | "response-headers">;

function translateHeaders(kind: HeaderPolicyKind, modifier: HTTPRouteHeaderModifier, path: string): FilterOutcome {
  const set = keepFirst(modifier.set ?? []);
  const add = keepFirst(modifier.add ?? []);
  const remove = keepFirst((modifier.remove ?? []).map((name) => ({ name, value: "" }))).map(({ name }) => name);
  const flaws = findContradictions([...set, ...add, ...remove.map((name) => ({ name }))], path);
  return flaws.length > 0 ? { flaws } : { policy: { kind, set, add, remove } };
}

/** Of entries of one name only the first counts (Gateway API, HTTPHeader). */
function keepFirst(headers: readonly HeaderValue[]): HeaderValue[] {
  const first = new Map<string, HeaderValue>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (!first.has(lower)) first.set(lower, { name, value });
  }
  return [...first.values()];
}

/** "Filters specifying multiple actions for any one header name are invalid" (Gateway API, HTTPHeaderFilter). */
function findContradictions(actions: readonly { readonly name: string }[], path: string): Flaw[] {
  const seen = new Set<string>();
  const flaws: Flaw[] = [];
  for (const { name } of actions) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) flaws.push(toUnsupported(path, `${name} has more than one of set, add and remove`));
    seen.add(lower);
  }
  return flaws;
}
