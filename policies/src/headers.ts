/** The header modifiers: remove, set and add fields of a request or of a response (Gateway API HTTPHeaderFilter). */
import type { HeaderValue, RequestHeadersPolicy, ResponseHeadersPolicy } from "@sallyport/model/policy";
import type { Filter, HeaderView } from "./filter.ts";
import { toLatin1Value } from "./latin1-value.ts";

/** Edits the request head before it goes upstream. */
export function compileRequestHeaders(policy: RequestHeadersPolicy): Filter {
  const edit = compileEdits(policy);
  return {
    deterministic: true,
    onRequest(request) {
      edit(request);
      return undefined;
    },
  };
}

/** Edits the response head before it goes downstream. */
export function compileResponseHeaders(policy: ResponseHeadersPolicy): Filter {
  return { deterministic: true, onResponse: compileEdits(policy) };
}

interface HeaderEdits {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

/** Removal comes first, so that a name that is removed and set ends with the value set, as it does in Envoy. */
function compileEdits(edits: HeaderEdits): (view: HeaderView) => void {
  const remove = firstOfEachName(edits.remove, (name) => name);
  const set = firstOfEachName(edits.set, (field) => field.name).map(toLatin1);
  const add = firstOfEachName(edits.add, (field) => field.name).map(toLatin1);
  return (view) => {
    for (const name of remove) view.removeHeader(name);
    for (const { name, value } of set) view.setHeader(name, value);
    for (const { name, value } of add) view.addHeader(name, value);
  };
}

/** Gateway API: of several entries whose names differ in case only, the first counts. */
function firstOfEachName<T>(entries: readonly T[], toName: (entry: T) => string): T[] {
  const seen = new Set<string>();
  return entries.filter((entry) => {
    const name = toName(entry).toLowerCase();
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

function toLatin1({ name, value }: HeaderValue): HeaderValue {
  return { name, value: toLatin1Value(value) };
}
