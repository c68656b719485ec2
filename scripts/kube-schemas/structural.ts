/**
 * From a raw published schema to the form we keep: no prose, references resolved, objects closed, numbers bounded. Any
 * keyword the generator does not know stops it, so that nothing of a new API version is dropped without notice.
 */
import { toObject } from "./schema.ts";
import type { CelRule, JsonObject, Schema } from "./schema.ts";

/** Keywords that say nothing about what is valid, or that only matter to other clients. */
const ignoredKeywords = new Set([
  "description",
  "title",
  "x-kubernetes-patch-merge-key",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-map-type",
  "x-kubernetes-unions",
  "x-kubernetes-group-version-kind",
]);

const plainKeywords = new Set([
  "type",
  "required",
  "enum",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "default",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
]);

/** Formats with a meaning we check (see `validators.ts`); int32 becomes bounds, the other ones carry none. */
const keptFormats = new Set(["date-time", "byte"]);

/**
 * The only `oneOf` of the kinds we read (Gateway addresses): its meaning is an IP check that reads better as a rule.
 * Anything else must be looked at by a person.
 */
const addressOneOf =
  '[{"properties":{"type":{"enum":["IPAddress"]},"value":{"anyOf":[{"format":"ipv4"},{"format":"ipv6"}]}}},' +
  '{"properties":{"type":{"not":{"enum":["IPAddress"]}}}}]';
const addressRule: CelRule = {
  rule: "self.type == 'IPAddress' && has(self.value) ? isIPv4(self.value) || isIPv6(self.value) : true",
  message: "an address of type IPAddress must be an IPv4 or IPv6 address",
};

/** Turns one raw schema into ours. `references` resolves `$ref`s; `where` names the node in errors. */
export function toStructural(raw: JsonObject, references: ReadonlyMap<string, JsonObject>, where: string): Schema {
  const inlined = inlineReference(raw, references, where);
  const schema: Schema = {};
  for (const [keyword, value] of Object.entries(inlined)) {
    if (ignoredKeywords.has(keyword)) continue;
    if (plainKeywords.has(keyword)) Object.assign(schema, { [keyword]: value });
    else addNested(schema, keyword, value, { references, where, hasFields: inlined["properties"] !== undefined });
  }
  return closeObject(bindNumbers(schema));
}

interface Context {
  readonly references: ReadonlyMap<string, JsonObject>;
  readonly where: string;
  readonly hasFields: boolean;
}

/** `{$ref}` and `{allOf: [{$ref}], default}` become the node they name; `default` stays. */
function inlineReference(raw: JsonObject, references: ReadonlyMap<string, JsonObject>, where: string): JsonObject {
  const { allOf, ...rest } = raw;
  const ref = Array.isArray(allOf) && allOf.length === 1 ? toObject(allOf[0], where)["$ref"] : raw["$ref"];
  if (typeof ref !== "string") {
    if (allOf !== undefined) throw new Error(`${where}: allOf is not understood`);
    return raw;
  }
  const target = references.get(ref);
  if (target === undefined) throw new Error(`${where}: unresolved ${ref}`);
  const { $ref: _, ...kept } = rest;
  return { ...inlineReference(target, references, where), ...kept };
}

function addNested(schema: Schema, keyword: string, value: unknown, context: Context): void {
  const { references, where } = context;
  switch (keyword) {
    case "properties":
      schema.properties = Object.fromEntries(
        Object.entries(toObject(value, where)).map(([name, property]) => [
          name,
          toStructural(toObject(property, where), references, `${where}.${name}`),
        ]),
      );
      return;
    case "items":
      schema.items = toStructural(toObject(value, where), references, `${where}[]`);
      return;
    case "additionalProperties":
      schema.additionalProperties = toStructural(toObject(value, where), references, `${where}{}`);
      return;
    case "x-kubernetes-validations":
      schema[keyword] = [...(schema[keyword] ?? []), ...toRules(value, where)];
      return;
    case "format":
      addFormat(schema, value, where);
      return;
    case "x-kubernetes-int-or-string":
      schema[keyword] = true;
      return;
    case "x-kubernetes-preserve-unknown-fields":
      // An object without named fields stays open; beside named fields it would have to be kept from being closed.
      if (schema.type !== "object" || context.hasFields) throw new Error(`${where}: open fields beside named ones`);
      return;
    case "oneOf":
      addOneOf(schema, value, where);
      return;
    default:
      throw new Error(`${where}: keyword ${keyword} is not understood`);
  }
}

function addFormat(schema: Schema, value: unknown, where: string): void {
  if (value === "int-or-string") schema["x-kubernetes-int-or-string"] = true;
  else if (value === "int32" || keptFormats.has(String(value))) schema.format = String(value);
  else if (value !== "int64") throw new Error(`${where}: format ${String(value)} is not understood`);
}

function addOneOf(schema: Schema, value: unknown, where: string): void {
  const text = JSON.stringify(value);
  if (text === '[{"type":"integer"},{"type":"string"}]') return;
  if (text !== addressOneOf) throw new Error(`${where}: oneOf is not understood: ${text}`);
  schema["x-kubernetes-validations"] = [addressRule, ...(schema["x-kubernetes-validations"] ?? [])];
}

function toRules(value: unknown, where: string): CelRule[] {
  if (!Array.isArray(value)) throw new Error(`${where}: rules must be a list`);
  return value.map((entry) => {
    const { rule, message, ...rest } = toObject(entry, where);
    if (typeof rule !== "string" || typeof message !== "string" || Object.keys(rest).length > 0)
      throw new Error(`${where}: rule is not understood: ${JSON.stringify(entry)}`);
    return { rule: rule.trim(), message };
  });
}

function bindNumbers(schema: Schema): Schema {
  if (schema.format !== "int32") return schema;
  const { format: _, ...rest } = schema;
  return { ...rest, minimum: rest.minimum ?? -(2 ** 31), maximum: rest.maximum ?? 2 ** 31 - 1 };
}

/** Objects with named fields accept no other field. */
function closeObject(schema: Schema): Schema {
  return schema.properties === undefined ? schema : { ...schema, additionalProperties: false };
}
