/** Finds out what kind of object a value is by its apiVersion and kind. */
import { suggestName } from "@sallyport/model/suggest";
import type { FieldIssue } from "./field-issue.ts";
import { isRecord } from "./field-path.ts";
import type { GeneratedKind } from "./generated-kind.ts";
import { isKindName, kindNames, kinds } from "./kinds.ts";
import type { KindName } from "./kinds.ts";
import { quote } from "./schema-issues.ts";

/** What a value is. */
export type Identity =
  /** An object of a kind we read. */
  | { readonly is: "object"; readonly kind: KindName; readonly value: Record<string, unknown> }
  /** A list of objects. */
  | { readonly is: "list"; readonly items: readonly unknown[] }
  /** An object of a kind we do not read, e.g. a Deployment. */
  | { readonly is: "other"; readonly apiVersion: string; readonly kind: string }
  /** Nothing that can be read as an object. */
  | { readonly is: "broken"; readonly issue: FieldIssue };

/** Identifies a value. */
export function identifyObject(value: unknown): Identity {
  if (!isRecord(value)) return broken("not-an-object", `is ${toWords(value)}, not a Kubernetes object`, []);
  const { apiVersion, kind } = value;
  if (typeof kind !== "string" || kind === "") return missing("kind", kind);
  if (typeof apiVersion !== "string" || apiVersion === "") return missing("apiVersion", apiVersion);
  if (isList(apiVersion, kind, value)) return toList(value["items"]);
  if (isKindName(kind)) return identifyVersion(kind, apiVersion, value);
  return identifyOther(kind, apiVersion);
}

/** Names of all kinds that are read, for messages. */
export const readableKinds: string = kindNames.join(", ");

function isList(apiVersion: string, kind: string, value: Record<string, unknown>): boolean {
  if (kind === "List" && apiVersion === "v1") return true;
  return kind.endsWith("List") && isKindName(kind.slice(0, -4)) && Array.isArray(value["items"]);
}

function toList(items: unknown): Identity {
  if (items === undefined || items === null) return { is: "list", items: [] };
  return Array.isArray(items) ? { is: "list", items } : broken("invalid-value", "must be a list", ["items"]);
}

function identifyVersion(kind: KindName, apiVersion: string, value: Record<string, unknown>): Identity {
  const definition: GeneratedKind = kinds[kind];
  const served = definition.versions.map((version) => toApiVersion(definition.group, version));
  if (served.includes(apiVersion)) return { is: "object", kind, value };
  // Several groups have a kind of this name (a Gateway may be Istio's): only the group tells whether it is ours.
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const isSlip = suggestName(group, [definition.group]) !== undefined;
  if (group !== definition.group && !isSlip && group.includes(".")) return { is: "other", apiVersion, kind };
  const hint = `use apiVersion ${served.join(" or ")}`;
  const message = `apiVersion ${quote(apiVersion)} of ${kind} is not read`;
  return broken("unsupported-kind", message, ["apiVersion"], hint);
}

function identifyOther(kind: string, apiVersion: string): Identity {
  const suggestion = suggestName(kind, kindNames);
  const isSlip = suggestion !== undefined && isKindName(suggestion) && isGroupOf(apiVersion, kinds[suggestion]);
  if (!isSlip) return { is: "other", apiVersion, kind };
  return broken("unsupported-kind", `unknown kind ${quote(kind)}`, ["kind"], `did you mean "${suggestion}"?`);
}

function isGroupOf(apiVersion: string, definition: GeneratedKind): boolean {
  return definition.versions.some((version) => toApiVersion(definition.group, version) === apiVersion);
}

function toApiVersion(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

function missing(field: "apiVersion" | "kind", value: unknown): Identity {
  const message = value === undefined || value === null ? `${field} is required` : `${field} must be a text`;
  return broken("missing-type", message, [field], "every object needs apiVersion, kind and metadata.name");
}

function broken(code: FieldIssue["code"], message: string, path: readonly string[], hint?: string): Identity {
  const issue: FieldIssue = { code, severity: "error", message, path, at: "value" };
  return { is: "broken", issue: hint === undefined ? issue : { ...issue, hint } };
}

function toWords(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "empty" : `a ${typeof value}`;
}
