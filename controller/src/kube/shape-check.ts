/** Checks a value with the compiled checks of its schema: shape, defaults, rules. */
import type { FieldIssue } from "./field-issue.ts";
import { isRecord, parsePointer } from "./field-path.ts";
import type { FieldPath, PathStep } from "./field-path.ts";
import type { KindValidator, SchemaError } from "./generated-kind.ts";
import { RuleWalk } from "./rule-walk.ts";
import { toIssues } from "./schema-issues.ts";
import type { ValuePolicy } from "./schema-issues.ts";

/**
 * `strict` is for files: a field nobody knows is an error, `status` is dropped. `lenient` is for API servers: unknown fields
 * are removed and counted, `status` is kept.
 */
export type DecodeMode = "strict" | "lenient";

/** How to check one value. */
export interface ShapeCheck {
  readonly validator: KindValidator;
  /** Loads the JSON schema; needed only to say which fields there are where one is unknown. */
  readonly loadSchema: () => Promise<{ readonly default: unknown }>;
  /** Where the value is in its object. */
  readonly base: FieldPath;
  readonly mode: DecodeMode;
  readonly policy: ValuePolicy;
}

/** What was found. */
export interface ShapeFindings {
  readonly issues: FieldIssue[];
  /** How many unknown fields were removed; always 0 in strict mode. */
  readonly unknownFields: number;
}

/** Most errors told of one object; what would make more is not read to the end by anyone. */
const mostErrors = 50;

/** Checks the value and sets defaults in it; in lenient mode it also removes unknown fields from it. */
export async function checkShape(value: Record<string, unknown>, check: ShapeCheck): Promise<ShapeFindings> {
  const { validator, base, mode, policy } = check;
  const errors = validator.validate(value) ? [] : (validator.validate.errors ?? []).slice(0, mostErrors);
  const unknown = errors.filter(isUnknownField);
  const misfits = errors.filter((error) => !isUnknownField(error));
  const fieldsAt = unknown.length > 0 && mode === "strict" ? await readFieldNames(check) : () => [];
  const issues = toIssues(mode === "strict" ? errors : misfits, { value, base, policy, fieldsAt });
  const walk = new RuleWalk(misfits.map((error) => parsePointer(error.instancePath, value)));
  validator.checkRules(value, walk);
  for (const { path, message } of walk.violations)
    issues.push({ code: "rule-violated", severity: "error", message, path: [...base, ...path], at: "value" });
  if (mode === "strict") return { issues, unknownFields: 0 };
  for (const error of unknown) removeUnknownField(value, error);
  return { issues, unknownFields: unknown.length };
}

function isUnknownField(error: SchemaError): boolean {
  return error.keyword === "additionalProperties";
}

function removeUnknownField(root: unknown, error: SchemaError): void {
  let value = root;
  for (const step of parsePointer(error.instancePath, root)) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else if (isRecord(value)) value = value[String(step)];
  }
  if (isRecord(value)) delete value[String(error.params["additionalProperty"])];
}

const objectFields = ["apiVersion", "kind", "metadata"];

/** Gives the names of the fields that the schema knows at a path. */
async function readFieldNames(check: ShapeCheck): Promise<(path: FieldPath) => readonly string[]> {
  const { default: schema } = await check.loadSchema();
  const definitions = isRecord(schema) && isRecord(schema["$defs"]) ? schema["$defs"] : {};
  return (path) => {
    let node = resolveReference(schema, definitions);
    for (const step of path) node = resolveReference(toChild(node, step), definitions);
    const names = isRecord(node) && isRecord(node["properties"]) ? Object.keys(node["properties"]) : [];
    const isRoot = path.length === 0 && check.base.length === 0;
    return isRoot ? [...objectFields, ...names.filter((name) => name !== "status")] : names;
  };
}

function toChild(node: unknown, step: PathStep): unknown {
  if (!isRecord(node)) return undefined;
  if (typeof step === "number") return node["items"];
  return isRecord(node["properties"]) ? node["properties"][step] : node["additionalProperties"];
}

/** `{$ref: "#/$defs/Name"}` -> the definition. */
function resolveReference(node: unknown, definitions: Record<string, unknown>): unknown {
  if (!isRecord(node) || typeof node["$ref"] !== "string") return node;
  return definitions[node["$ref"].slice("#/$defs/".length)];
}
