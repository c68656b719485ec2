/**
 * The structural schemas the generator works on: the subset of JSON Schema that CustomResourceDefinitions allow, plus
 * `$ref`/`$defs` once repeated parts have been given names.
 */

/** A CEL rule of the API, kept as data (`x-kubernetes-validations`). */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** One schema node. Only the keywords that the sources use; `readSchema` refuses any other. */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | false;
  enum?: (string | number | boolean)[];
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  default?: unknown;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-validations"?: CelRule[];
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** A JSON object of unknown content. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object; anything else in a published schema means that the generator must be taught something new. */
export function toObject(value: unknown, what: string): JsonObject {
  if (!isObject(value)) throw new Error(`${what}: expected an object, found ${JSON.stringify(value)}`);
  return value;
}

/** JSON text with sorted keys, so that equal schemas have equal text. */
export function toCanonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (!isObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The definition a `$ref` names, or the node itself. */
export function resolveRef(schema: Schema, definitions: Readonly<Record<string, Schema>>): Schema {
  if (schema.$ref === undefined) return schema;
  const definition = definitions[toDefinitionName(schema.$ref)];
  if (definition === undefined) throw new Error(`unresolved ${schema.$ref}`);
  return definition;
}

/** `Name` of `#/$defs/Name`. */
export function toDefinitionName(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

/** Whether a property is always there once defaults are applied. */
export function isAlwaysPresent(schema: Schema, property: string): boolean {
  return (schema.required?.includes(property) ?? false) || schema.properties?.[property]?.default !== undefined;
}
