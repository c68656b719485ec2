/**
 * The parts that schemas of our own kinds are made of. They say no more than structural schemas of Kubernetes can: what hangs on
 * several fields is a CEL rule. All texts and lists have bounds, because the API server estimates the cost of rules by them.
 */
import { Type, type TSchema } from "typebox";

/** A CEL rule, and what the user is told where it does not hold. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** Any part of a schema. */
export type Field = TSchema;

interface SectionOptions {
  readonly required?: readonly string[];
  readonly rules?: readonly Rule[];
}

/** An object. Fields are optional unless `required` names them. */
export function section(
  description: string,
  fields: Readonly<Record<string, Field>>,
  { required = [], rules = [] }: SectionOptions = {},
): Field {
  const entries = Object.entries(fields);
  const properties = entries.map(([name, field]) => [name, required.includes(name) ? field : Type.Optional(field)]);
  const validations = rules.length === 0 ? {} : { "x-kubernetes-validations": rules };
  return Type.Object(Object.fromEntries(properties), { description, ...validations });
}

interface ListOptions {
  readonly minItems?: number;
  readonly maxItems: number;
  /** Fields by which entries are told apart; without it a list is written as a whole. */
  readonly keys?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly default?: readonly unknown[];
}

/** A list. */
export function list(description: string, items: Field, { keys, rules = [], ...options }: ListOptions): Field {
  return Type.Array(items, {
    description,
    ...options,
    ...(keys === undefined
      ? { "x-kubernetes-list-type": "atomic" }
      : { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys }),
    ...(rules.length === 0 ? {} : { "x-kubernetes-validations": rules }),
  });
}

interface TextOptions {
  readonly minLength?: number;
  readonly maxLength: number;
  readonly pattern?: string;
  readonly default?: string;
  readonly rules?: readonly Rule[];
}

/** A text; not empty unless `minLength` says so. */
export function text(description: string, { rules = [], ...options }: TextOptions): Field {
  const validations = rules.length === 0 ? {} : { "x-kubernetes-validations": rules };
  return Type.String({ description, minLength: 1, ...options, ...validations });
}

/** One of several words. */
export function word(description: string, words: readonly string[], initial?: string): Field {
  return Type.String({ description, enum: words, ...toDefault(initial) });
}

/** Yes or no. */
export function flag(description: string, initial?: boolean): Field {
  return Type.Boolean({ description, ...toDefault(initial) });
}

interface NumberOptions {
  readonly minimum: number;
  readonly maximum: number;
  readonly default?: number;
}

/** A whole number. */
export function integer(description: string, options: NumberOptions): Field {
  return Type.Integer({ description, ...options });
}

/** A number that may have decimals. The API server compares whole numbers with the whole part of `minimum`: the rest is a rule. */
export function decimal(description: string, options: NumberOptions): Field {
  const { minimum } = options;
  if (Number.isInteger(minimum)) return Type.Number({ description, ...options });
  const rules = [{ rule: `self >= ${minimum}`, message: `must be ${minimum} or more` }];
  return Type.Number({ description, ...options, "x-kubernetes-validations": rules, minimum: Math.floor(minimum) });
}

/** Of a hundred, without decimals. */
export function percent(description: string, initial?: number): Field {
  return Type.Integer({ description, minimum: 0, maximum: 100, ...toDefault(initial) });
}

interface DurationOptions {
  readonly minimum?: string;
  readonly maximum?: string;
  readonly default?: string;
}

/** A duration as the Gateway API writes it (GEP-2257). */
export function duration(description: string, { minimum, maximum, ...options }: DurationOptions = {}): Field {
  const rules: Rule[] = [];
  if (minimum !== undefined)
    rules.push({ rule: `duration(self) >= duration('${minimum}')`, message: `must be ${minimum} or longer` });
  if (maximum !== undefined)
    rules.push({ rule: `duration(self) <= duration('${maximum}')`, message: `must be ${maximum} or shorter` });
  const validations = rules.length === 0 ? {} : { "x-kubernetes-validations": rules };
  const pattern = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";
  return Type.String({ description, maxLength: 28, pattern, ...options, ...validations });
}

/** A size in bytes as a quantity of Kubernetes: `65536`, `64Ki`, `1.5M`. */
export function quantity(description: string, initial?: string): Field {
  return Type.Unsafe<number | string>({
    description,
    "x-kubernetes-int-or-string": true,
    minimum: 0,
    maxLength: 20,
    pattern: "^[0-9]{1,12}(\\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)?$",
    ...toDefault(initial),
  });
}

/** Statuses of answers: one (`404`), or from one to another (`500-599`). */
export function statuses(description: string, options: Omit<ListOptions, "keys" | "rules">): Field {
  const item = Type.Unsafe<number | string>({
    description: "One status (404), or both ends of a range (500-599).",
    "x-kubernetes-int-or-string": true,
    minimum: 100,
    maximum: 599,
    maxLength: 7,
    pattern: "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$",
    "x-kubernetes-validations": [
      {
        rule: "type(self) == int || self.size() == 3 || self.split('-')[0] <= self.split('-')[1]",
        message: "a range begins with its lower status: 500-599",
      },
    ],
  });
  return list(description, item, options);
}

/** Objects by name. */
export function map(
  description: string,
  values: Field,
  options: { readonly minProperties: number; readonly maxProperties: number; readonly rules: readonly Rule[] },
): Field {
  const { rules, ...bounds } = options;
  return Type.Unsafe<Readonly<Record<string, unknown>>>({
    description,
    type: "object",
    additionalProperties: values,
    ...bounds,
    "x-kubernetes-validations": rules,
  });
}

/** Name of a header field (RFC 9110 section 5.1). */
export function headerName(description: string): Field {
  return text(description, { maxLength: 256, pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$" });
}

/** Addresses and blocks of addresses. */
export function addressBlocks(description: string): Field {
  const rule = {
    rule: "isIP(self) || isCIDR(self)",
    message: "must be an address (192.0.2.1) or a block (10.0.0.0/8)",
  };
  const block = text("An IPv4 or IPv6 address, or a CIDR block.", { maxLength: 64, rules: [rule] });
  return list(description, block, { minItems: 1, maxItems: 64 });
}

function toDefault(initial: unknown): { readonly default?: unknown } {
  return initial === undefined ? {} : { default: initial };
}
