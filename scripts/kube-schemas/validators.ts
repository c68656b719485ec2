/**
 * Compiles the schema of one kind with ajv, ahead of time, to a module that needs no ajv: `validate(value)` checks shapes
 * and applies defaults, `checkRules(value, walk)` checks the rules.
 */
import { Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import type { NamedSchema } from "./definitions.ts";
import { emitRules } from "./rules.ts";
import type { Schema } from "./schema.ts";
import { generatedNotice } from "./types.ts";

/** A validator module: its code, and the declarations TypeScript reads for it. */
export interface EmittedValidator {
  readonly code: string;
  readonly declarations: string;
}

/** RFC 3339 times as the API server writes and reads them. */
const dateTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Standard base64, as Go decodes it: line breaks are allowed. Values may be large, so the check must be linear. */
const base64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;

/** Patterns of the published schemas that take exponential time, and a pattern of the same language that does not. */
const replacedPatterns: ReadonlyMap<string, string> = new Map([
  ["^[!-~]+([\\t ]?[!-~]+)*$", "^[!-~]+(?:[\\t ][!-~]+)*$"],
]);

/** Compiles one kind. Its `status` is accepted as it is: files have none to check, and the API server checked its own. */
export function emitValidator(schema: NamedSchema): EmittedValidator {
  const rules = emitRules(schema);
  const checks = emitChecks(schema);
  const functions = [...new Set([...rules.functions, ...checks.functions])].toSorted();
  const imports = functions.length === 0 ? [] : [`import { ${functions.join(", ")} } from "../../rule-functions.ts";`];
  const code = [generatedNotice, ...imports, checks.code, ...rules.lines, ""].join("\n");
  const declarations = [
    generatedNotice,
    'import type { KindValidator } from "../../generated-kind.ts";',
    "",
    'export const validate: KindValidator["validate"];',
    'export const checkRules: KindValidator["checkRules"];',
    "",
  ].join("\n");
  return { code, declarations };
}

function emitChecks(schema: NamedSchema): { readonly code: string; readonly functions: readonly string[] } {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    inlineRefs: false,
    messages: false,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    formats: { "date-time": dateTime, byte: base64 },
    code: { source: true, esm: true, lines: true, regExp: Object.assign(toRegExp, { code: "boundedPattern" }) },
  });
  const root = { ...toAjvSchema(withoutStatus(schema.root)), $defs: mapValues(usedDefinitions(schema), toAjvSchema) };
  const raw = standalone.default(ajv, ajv.compile(root));
  const functions = new Set<string>();
  const code = raw
    .replace(/^"use strict";/, "")
    .replace(/export default validate\d+;/, "")
    .replaceAll(/require\("ajv\/dist\/runtime\/ucs2length"\)\.default/g, "codePointLength");
  for (const name of ["codePointLength", "boundedPattern"]) if (code.includes(name)) functions.add(name);
  if (code.includes("require(")) throw new Error("the compiled validator needs more of ajv than is replaced");
  return { code: code.trim(), functions: [...functions] };
}

/** Used while compiling only; the emitted code calls `boundedPattern`. */
function toRegExp(pattern: string, flags: string): RegExp {
  return new RegExp(pattern, flags);
}

/** Without `status` and what only `status` refers to. */
function usedDefinitions(schema: NamedSchema): Record<string, Schema> {
  const used: Record<string, Schema> = {};
  const visit = (node: Schema): void => {
    if (node.$ref !== undefined) {
      const name = node.$ref.replace("#/$defs/", "");
      const definition = schema.definitions[name];
      if (definition === undefined || used[name] !== undefined) return;
      used[name] = definition;
      visit(definition);
    }
    for (const child of [...Object.values(node.properties ?? {}), node.items, node.additionalProperties])
      if (typeof child === "object") visit(child);
  };
  visit(withoutStatus(schema.root));
  return used;
}

function withoutStatus(root: Schema): Schema {
  return root.properties?.["status"] === undefined ? root : { ...root, properties: { ...root.properties, status: {} } };
}

function toAjvSchema(schema: Schema): Record<string, unknown> {
  const converted: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "x-kubernetes-int-or-string") converted["type"] = ["integer", "string"];
    else if (!keyword.startsWith("x-kubernetes-")) converted[keyword] = value;
  }
  if (schema.pattern !== undefined) converted["pattern"] = replacedPatterns.get(schema.pattern) ?? schema.pattern;
  if (schema.items !== undefined) converted["items"] = toAjvSchema(schema.items);
  if (typeof schema.additionalProperties === "object")
    converted["additionalProperties"] = toAjvSchema(schema.additionalProperties);
  if (schema.properties !== undefined) converted["properties"] = mapValues(schema.properties, toAjvSchema);
  return converted;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
