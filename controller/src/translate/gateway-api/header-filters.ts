/** RequestHeaderModifier and ResponseHeaderModifier. */
import type { HeaderValue, Policy } from "@sallyport/model/policy";
import type { HTTPRouteHeaderModifier } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { type FilterOutcome, toUnsupported, type TranslateFilter } from "./filter-outcome.ts";

/** RequestHeaderModifier to a request-headers policy. */
export const translateRequestHeaders: TranslateFilter = (_, filter, { path }) =>
  translateHeaders("request-headers", filter.requestHeaderModifier ?? {}, `${path}.requestHeaderModifier`);

/** ResponseHeaderModifier to a response-headers policy. */
export const translateResponseHeaders: TranslateFilter = (_, filter, { path }) =>
  translateHeaders("response-headers", filter.responseHeaderModifier ?? {}, `${path}.responseHeaderModifier`);

/** Fields that frame a message or belong to one connection (RFC 9110 section 7.6.1): the proxy alone writes them. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

type HeaderPolicyKind = Extract<Policy["kind"], "request-headers" | "response-headers">;

function translateHeaders(kind: HeaderPolicyKind, modifier: HTTPRouteHeaderModifier, path: string): FilterOutcome {
  const set = keepFirst(modifier.set ?? []);
  const add = keepFirst(modifier.add ?? []);
  const remove = [...new Map((modifier.remove ?? []).map((name) => [name.toLowerCase(), name])).values()];
  const flaws = [
    ...findValueFlaws(set, kind, `${path}.set`),
    ...findValueFlaws(add, kind, `${path}.add`),
    ...remove.flatMap((name) => findNameFlaw(name, kind, `${path}.remove`)),
    ...findContradictions([set, add, remove.map((name) => ({ name }))], path),
  ];
  return flaws.length > 0 ? { flaws } : { policy: { kind, set, add, remove } };
}

/** Of entries of one name only the first counts (Gateway API, HTTPHeader). */
function keepFirst(headers: readonly HeaderValue[]): HeaderValue[] {
  const first = new Map<string, HeaderValue>();
  for (const { name, value } of headers)
    if (!first.has(name.toLowerCase())) first.set(name.toLowerCase(), { name, value });
  return [...first.values()];
}

function findValueFlaws(headers: readonly HeaderValue[], kind: HeaderPolicyKind, path: string): Flaw[] {
  return headers.flatMap(({ name, value }) => {
    const flaws = findNameFlaw(name, kind, path);
    // Visible US-ASCII, spaces and tabs; anything else could end the field or mean two things to two readers.
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      flaws.push(toUnsupported(path, `the value of ${name} holds characters that a header cannot have`));
    }
    return flaws;
  });
}

function findNameFlaw(name: string, kind: HeaderPolicyKind, path: string): Flaw[] {
  const lower = name.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower))
    return [toUnsupported(path, `${JSON.stringify(name)} is no header name`)];
  if (lower === "host" && kind === "request-headers") {
    return [toUnsupported(path, "Host cannot be modified as a header", "use the filter URLRewrite with hostname")];
  }
  if (!RESERVED.has(lower)) return [];
  return [toUnsupported(path, `${name} frames the message or belongs to the connection and cannot be modified`)];
}

/** "Filters specifying multiple actions for any one header name are invalid" (Gateway API, HTTPHeaderFilter). */
function findContradictions(actions: readonly (readonly { readonly name: string }[])[], path: string): Flaw[] {
  const seen = new Set<string>();
  const flaws: Flaw[] = [];
  for (const { name } of actions.flat()) {
    if (seen.has(name.toLowerCase()))
      flaws.push(toUnsupported(path, `${name} has more than one of set, add and remove`));
    seen.add(name.toLowerCase());
  }
  return flaws;
}
