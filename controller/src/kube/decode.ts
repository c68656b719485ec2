/**
 * From an unknown value (parsed YAML, or JSON of an API server) to an object of a kind: shape, defaults and rules checked,
 * one internal form for all served versions.
 */
import type { FieldIssue } from "./field-issue.ts";
import type { GeneratedKind, KindValidator } from "./generated-kind.ts";
import { kinds } from "./kinds.ts";
import type { KindMap, KindName } from "./kinds.ts";
import { decodeMetadata } from "./metadata.ts";
import { completeService, decodeSecret, fillEmptyTexts, removeNulls } from "./native-fields.ts";
import { checkShape } from "./shape-check.ts";
import type { DecodeMode } from "./shape-check.ts";

/** Outcome of decoding one object. */
export interface Decoded<K extends KindName> {
  /** The object; absent if some issue is an error. */
  readonly object?: KindMap[K];
  readonly issues: readonly FieldIssue[];
  /** How many unknown fields were removed; always 0 in strict mode. */
  readonly unknownFields: number;
}

/** Decodes an object known to be of the kind. Takes over `raw` and changes it. */
export async function decodeObject<K extends KindName>(
  kind: K,
  raw: Record<string, unknown>,
  mode: DecodeMode,
): Promise<Decoded<K>> {
  const definition: GeneratedKind = kinds[kind];
  fillEmptyTexts(raw);
  removeNulls(raw);
  const { apiVersion: _apiVersion, kind: _kind, metadata: rawMetadata, status, ...body } = raw;
  const metadata = await decodeMetadata(rawMetadata, definition, mode);
  const shape = await checkShape(body, {
    validator: validators.get(kind) ?? (await loadValidator(kind)),
    loadSchema: () => definition.loadSchema(),
    base: [],
    mode,
    policy: kind === "Secret" ? "hide-values" : "show-values",
  });
  const checked = [...metadata.issues, ...shape.issues];
  const issues = hasError(checked) ? checked : [...checked, ...completeBody(kind, body)];
  const unknownFields = metadata.unknownFields + shape.unknownFields;
  if (metadata.metadata === undefined || hasError(issues)) return { issues, unknownFields };
  const object = { apiVersion: toApiVersion(definition), kind, metadata: metadata.metadata, ...body };
  if (mode === "lenient" && status !== undefined) Object.assign(object, { status });
  // The checks above are what makes the value one of the kind.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { object: object as unknown as KindMap[K], issues, unknownFields };
}

/** Loaded on first use and kept: asking the module loader for every object costs as much as the check. */
const validators = new Map<KindName, KindValidator>();

async function loadValidator(kind: KindName): Promise<KindValidator> {
  const validator = await kinds[kind].loadValidator();
  validators.set(kind, validator);
  return validator;
}

/** `group/version` of the form objects of a kind are kept in. */
function toApiVersion(definition: GeneratedKind): string {
  const [version] = definition.versions;
  return definition.group === "" ? version : `${definition.group}/${version}`;
}

function completeBody(kind: KindName, body: Record<string, unknown>): FieldIssue[] {
  if (kind === "Service") return completeService(body);
  return kind === "Secret" ? decodeSecret(body) : [];
}

function hasError(issues: readonly FieldIssue[]): boolean {
  return issues.some((issue) => issue.severity === "error");
}
