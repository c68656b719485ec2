/** Decodes object metadata, which is the same for all kinds but for the rules of names. */
import type { FieldIssue } from "./field-issue.ts";
import { isRecord } from "./field-path.ts";
import type { GeneratedKind, KindValidator } from "./generated-kind.ts";
import type { ObjectMeta } from "./generated/types/object-meta.ts";
import { quote } from "./schema-issues.ts";
import { checkShape } from "./shape-check.ts";
import type { DecodeMode } from "./shape-check.ts";

/** Outcome of decoding metadata. */
export interface DecodedMetadata {
  /** Absent if some issue is an error. */
  readonly metadata?: ObjectMeta;
  readonly issues: readonly FieldIssue[];
  readonly unknownFields: number;
}

/** Loaded on first use and kept: asking the module loader for every object costs as much as the check. */
let validator: KindValidator | undefined;

/** Decodes `metadata` of an object. A namespaced object without a namespace is in `default`. */
export async function decodeMetadata(
  raw: unknown,
  definition: GeneratedKind,
  mode: DecodeMode,
): Promise<DecodedMetadata> {
  if (!isRecord(raw)) return { issues: [toMissing(raw)], unknownFields: 0 };
  delete raw["managedFields"];
  const findings = await checkShape(raw, {
    validator: (validator ??= await import("./generated/validators/object-meta.js")),
    loadSchema: () => import("./generated/schemas/object-meta.json", { with: { type: "json" } }),
    base: ["metadata"],
    mode,
    policy: "show-values",
  });
  const issues = [...findings.issues, ...checkName(raw["name"], definition), ...checkScope(raw, definition)];
  const { unknownFields } = findings;
  if (issues.some((issue) => issue.severity === "error")) return { issues, unknownFields };
  const namespace = definition.namespaced ? (raw["namespace"] ?? "default") : "";
  // checkShape made sure of it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { metadata: { ...raw, namespace } as unknown as ObjectMeta, issues, unknownFields };
}

function toMissing(raw: unknown): FieldIssue {
  const message = raw === undefined ? "metadata is required" : "must be a map";
  const hint = "every object needs metadata.name";
  return { code: "invalid-value", severity: "error", message, path: ["metadata"], at: "value", hint };
}

/** Kinds whose names are used as one DNS label. */
const labelNames: ReadonlyMap<string, RegExp> = new Map([
  ["Service", /^[a-z]([-a-z0-9]*[a-z0-9])?$/],
  ["Namespace", /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/],
]);

const longestLabel = 63;

function checkName(name: unknown, definition: GeneratedKind): FieldIssue[] {
  const pattern = labelNames.get(definition.kind);
  if (pattern === undefined || typeof name !== "string" || name.length > 253) return [];
  if (name.length <= longestLabel && pattern.test(name)) return [];
  const first = definition.kind === "Service" ? ", starting with a letter" : "";
  const message = `${quote(name)} is not a name for a ${definition.kind}: at most ${longestLabel} lower case letters, digits and "-"${first}`;
  return [{ code: "invalid-name", severity: "error", message, path: ["metadata", "name"], at: "value" }];
}

function checkScope(raw: Record<string, unknown>, definition: GeneratedKind): FieldIssue[] {
  if (definition.namespaced || raw["namespace"] === undefined) return [];
  const message = `a ${definition.kind} belongs to no namespace; its metadata.namespace is ignored`;
  return [{ code: "unsupported-value", severity: "warning", message, path: ["metadata", "namespace"], at: "name" }];
}
