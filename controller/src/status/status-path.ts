/** Where the API server has the status of an object. */
import type { ObjectRef } from "@sallyport/model/problem";
import type { GeneratedKind } from "../kube/generated-kind.ts";
import { isKindName, kinds } from "../kube/kinds.ts";

/** Path of the status subresource; undefined for kinds we do not read. */
export function toStatusPath({ kind, namespace, name }: ObjectRef): string | undefined {
  if (!isKindName(kind)) return undefined;
  const definition: GeneratedKind = kinds[kind];
  const [version] = definition.versions;
  const api = definition.group === "" ? `/api/${version}` : `/apis/${definition.group}/${version}`;
  const scope = definition.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${api}${scope}/${definition.plural}/${encodeURIComponent(name)}/status`;
}
