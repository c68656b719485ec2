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

/** The characters of base64; whether they are in order is seen when they are decoded. Values may be large: linear. */
const base64 = /^[A-Za-z0-9+/=\r\n]*$/;

/** Patterns of the published schemas that take exponential time, and a pattern of the same language that does not. */
const replacedPatterns: ReadonlyMap<string, string> = new Map([
  ["^[!-~]+([\\t ]?[!-~]+)*$", "^[!-~]+(?:[\\t ][!-~]+)*$"],
]);

/** The pattern as it is compiled. */
export function toLinearPattern(pattern: string): string {
  return replacedPatterns.get(pattern) ?? pattern;
}

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
  const limits = findPatternLimits(root, new Map());
  const code = raw
    .replace(/^"use strict";/, "")
    .replace(/export default validate\d+;/, "")
    .replaceAll(/(= func\d+\()("(?:[^"\\]|\\.)*"), "u"\)/g, (_, call: string, pattern: string) => {
      const limit = limits.get(String(JSON.parse(pattern)));
      if (limit === undefined) throw new Error(`the pattern ${pattern} is not in the schema`);
      return `${call}${pattern}, "u", ${limit})`;
    })
    .replaceAll(/vErrors === null \? (\w+\.errors) : vErrors\.concat\(\1\)/g, "appendErrors(vErrors, $1)")
    .replaceAll(/require\("ajv\/dist\/runtime\/ucs2length"\)\.default/g, "codePointLength");
  for (const name of ["codePointLength", "boundedPattern", "appendErrors"])
    if (code.includes(name)) functions.add(name);
  if (code.includes("require(") || code.includes(".concat("))
    throw new Error("the compiled validator needs more of ajv than is replaced");
  return { code: code.trim(), functions: [...functions] };
}

/** Longest text of a pattern whose field has no limit of its own. */
const longestUnlimited = 1024;

/** For each pattern, the longest text that some field with it may have. */
function findPatternLimits(schema: unknown, limits: Map<string, number>): Map<string, number> {
  if (typeof schema !== "object" || schema === null) return limits;
  const { pattern, maxLength = longestUnlimited } = schema as Schema;
  if (typeof pattern === "string") limits.set(pattern, Math.max(limits.get(pattern) ?? 0, maxLength));
  for (const inner of Object.values(schema)) findPatternLimits(inner, limits);
  return limits;
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
  if (schema.pattern !== undefined) converted["pattern"] = toLinearPattern(schema.pattern);
  if (schema.items !== undefined) converted["items"] = toAjvSchema(schema.items);
  if (typeof schema.additionalProperties === "object")
    converted["additionalProperties"] = toAjvSchema(schema.additionalProperties);
  if (schema.properties !== undefined) converted["properties"] = mapValues(schema.properties, toAjvSchema);
  return converted;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
