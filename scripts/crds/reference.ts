/** Writes the field reference of one of our own kinds for docs/reference, from the schema that its CustomResourceDefinition is made from. */
import type { Schema } from "../kube-schemas/schema.ts";
import type { OwnKind } from "./own-kinds.ts";

/** A schema with its prose. */
interface Described extends Schema {
  readonly description?: string;
  readonly properties?: Record<string, Described>;
  readonly items?: Described;
  readonly additionalProperties?: Described;
}

/** A section for each field of `spec`: what it is, a table of what is in it, and what must hold. */
export function renderFieldReference({ schema }: OwnKind): string {
  const spec = (schema as Described).properties?.["spec"] ?? {};
  const sections = Object.entries(spec.properties ?? {}).flatMap(([name, field]) => renderSection(name, field));
  return [spec.description ?? "", "", ...sections].join("\n");
}

function renderSection(name: string, field: Described): string[] {
  const rows = rowsOf(field, "");
  const table = ["| field | type | default | what it does |", "|---|---|---|---|", ...rows, ""];
  const rules = rulesOf(field, "").map(({ path, message }) => `- ${path === "" ? "" : `\`${path}\`: `}${message}`);
  return [
    `## ${name}`,
    "",
    `${toPlainText(field.description ?? "")}${field.items === undefined ? "" : ` (${toTypeText(field)})`}`,
    "",
    ...(rows.length > 0 ? table : []),
    ...(rules.length > 0 ? ["What must hold:", "", ...rules, ""] : []),
  ];
}

/** One row for each field below, in the order of the schema. */
function rowsOf(schema: Described, path: string): string[] {
  const inner = schema.items ?? schema;
  const base = schema.items === undefined ? path : `${path}[]`;
  return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => {
    const full = base === "" ? name : `${base}.${name}`;
    const initial = inner.required?.includes(name) === true ? "(required)" : toDefaultText(field.default);
    // What the words of a list mean stands with its entries.
    const words = field.items?.enum === undefined ? "" : ` ${field.items.description ?? ""}`;
    const text = toPlainText(`${field.description ?? ""}${words}`);
    const row = `| \`${full}\` | ${toTypeText(field)} | ${initial} | ${text} |`;
    return [row, ...rowsOf(field, full)];
  });
}

interface FoundRule {
  readonly path: string;
  readonly message: string;
}

/** Rules below a field; bounds of durations are told with their type. */
function rulesOf(schema: Described, path: string): FoundRule[] {
  const own = (schema["x-kubernetes-validations"] ?? []).filter(({ rule }) => !durationBound.test(rule));
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    rulesOf(field, path === "" ? name : `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`);
  return [...own.map(({ message }) => ({ path, message })), ...fields, ...items];
}

/** What `duration` in controller/src/kube/policies/field.ts makes of a bound. */
const durationBound = /^duration\(self\) ([<>]=) duration\('(\w+)'\)$/;

function toTypeText(schema: Described): string {
  if (schema.items !== undefined)
    return `list (${schema.minItems ?? 0} to ${schema.maxItems ?? ""}) of ${toTypeText(schema.items)}`;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.additionalProperties !== undefined) return `map to ${toTypeText(schema.additionalProperties)}`;
  if (schema["x-kubernetes-int-or-string"] === true)
    return schema.pattern?.includes("Ki") === true ? "quantity" : "status or range";
  return toScalarText(schema);
}

function toScalarText(schema: Described): string {
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.type}, ${schema.minimum ?? ""} to ${schema.maximum ?? ""}`;
    case "string":
      return schema.pattern?.includes("(h|m|s|ms)") === true ? toDurationText(schema) : "text";
    case "boolean":
      return "`true`, `false`";
    default:
      return "section";
  }
}

function toDurationText(schema: Described): string {
  const bounds = (schema["x-kubernetes-validations"] ?? []).flatMap(({ rule }) => {
    const [, operator, bound] = durationBound.exec(rule) ?? [];
    return bound === undefined ? [] : [operator === ">=" ? `from ${bound}` : `to ${bound}`];
  });
  return bounds.length === 0 ? "duration" : `duration, ${bounds.join(" ")}`;
}

function toDefaultText(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => toDefaultText(item)).join(", ");
  return value === undefined ? "" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

/** Without what Markdown would take for its own: bars end cells, stars begin emphasis. */
function toPlainText(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("*", "\\*").replaceAll("<", "&lt;");
}
