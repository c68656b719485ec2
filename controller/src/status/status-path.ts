/** Where the API server has the status of an object. */
import type { ObjectRef } from "@sallyport/model/problem";
import type { GeneratedKind } from "../kube/generated-kind.ts";
import { isKindName, kinds } from "../kube/kinds.ts";

/**
 * Path of the status subresource in the version with this number, counted on and round among those that are read (a server with
 * older CRDs may lack the first). Undefined for kinds we do not read.
 */
export function toStatusPath({ kind, namespace, name }: ObjectRef, versionNumber: number): string | undefined {
  if (!isKindName(kind)) return undefined;
  const definition: GeneratedKind = kinds[kind];
  const { versions } = definition;
  const version = versions[versionNumber % versions.length] ?? versions[0];
  const api = definition.group === "" ? `/api/${version}` : `/apis/${definition.group}/${version}`;
  const scope = definition.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${api}${scope}/${definition.plural}/${encodeURIComponent(name)}/status`;
}
